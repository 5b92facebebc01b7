// A picture of the reader's own, from a file or the camera. Pictures travel as messages, not as the widget's state,
// so that no saved notebook holds them.

const EMPTY = "No picture yet.";
const MOST = 8_000_000; // bytes; Jupyter's connection breaks at ten

function render({ model, el }) {
  const file = made("input", { type: "file", accept: "image/*", "aria-label": "Your picture", style: "display: none" });
  const button = (text, act) => {
    const one = made("button", { class: "jupyter-button", style: "margin: 0 0.5em 0.5em 0; width: auto" }, text);
    one.onclick = act;
    return one;
  };
  const choose = button("Choose a picture", () => file.click());
  const camera = button("Camera", start);
  const take = button("Take the picture", snap);
  const forget = button("Forget it", () => clear(EMPTY));
  const video = made("video", { playsinline: "", "aria-label": "What the camera sees" });
  video.style.cssText = "display: block; max-width: 100%; width: 320px; transform: scaleX(-1)";
  const answer = made("p", { role: "status", style: "margin: 0.3em 0; color: var(--jp-ui-font-color1, inherit)" });
  const picture = made("img", { alt: model.get("alt"), style: "display: block; max-width: 100%" });
  el.append(choose, file, camera, video, take, answer, picture, forget);

  let stream = null;

  function clear(text) {
    if (picture.src) URL.revokeObjectURL(picture.src);
    picture.removeAttribute("src");
    answer.textContent = text;
    for (const one of [picture, forget]) reveal(one, false);
  }

  function stop() {
    stream?.getTracks().forEach((track) => track.stop());
    stream = video.srcObject = null;
    for (const one of [video, take]) reveal(one, false);
  }

  function send(bytes) {
    if (bytes.byteLength > MOST) {
      clear("This picture has more than 8 MB, which the notebook's connection does not carry. Choose a smaller one.");
      return;
    }
    clear("One moment.");
    model.send({}, undefined, [bytes]);
  }

  async function start() {
    try {
      stream = await navigator.mediaDevices.getUserMedia({ video: true });
    } catch {
      clear("There is no camera, or it is not permitted. (It needs https, or a server on this machine.)");
      return;
    }
    clear("");
    video.srcObject = stream;
    for (const one of [video, take]) reveal(one, true);
    await video.play();
  }

  function snap() {
    const sheet = made("canvas", { width: video.videoWidth, height: video.videoHeight });
    sheet.getContext("2d").drawImage(video, 0, 0);
    stop();
    sheet.toBlob(async (blob) => send(await blob.arrayBuffer()), "image/png");
  }

  file.onchange = async () => {
    const [chosen] = file.files;
    if (!chosen) return;
    stop();
    send(await chosen.arrayBuffer());
    file.value = "";
  };

  function came(message, buffers) {
    clear(message.answer);
    if (!buffers.length) return;
    fill(picture, buffers[0], "image/png");
    for (const one of [picture, forget]) reveal(one, true);
  }

  model.on("msg:custom", came);
  clear(EMPTY);
  stop();
  return () => { stop(); model.off("msg:custom", came); };
}

export default { render };
