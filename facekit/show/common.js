// What the widgets of facekit.show share; each has this text before its own.

const SVG = "http://www.w3.org/2000/svg";

function made(tag, attributes = {}, ...children) {
  const one = ["svg", "circle", "path", "title"].includes(tag)
    ? document.createElementNS(SVG, tag)
    : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) one.setAttribute(name, value);
  one.setAttribute("data-lm-suppress-shortcuts", "true"); // keys are its own, not JupyterLab's
  one.append(...children);
  return one;
}

// A picture of `size` with a drawing over it, both in the picture's pixels.
function framed([width, height], alt) {
  const picture = made("img", { alt, draggable: "false", style: "display: block; width: 100%" });
  const layer = made("svg", {
    viewBox: `-0.5 -0.5 ${width} ${height}`, // a pixel's centre has whole numbers
    style: "position: absolute; inset: 0; width: 100%; height: 100%; overflow: visible",
  });
  const frame = made("div", {
    style: `position: relative; width: ${width}px; max-width: 100%; touch-action: none; user-select: none`,
  }, picture, layer);

  function where(event) {
    const seen = layer.getBoundingClientRect();
    const along = (at, size) => Math.min(Math.max(at * size - 0.5, 0), size - 1);
    return [
      along((event.clientX - seen.left) / seen.width, width),
      along((event.clientY - seen.top) / seen.height, height),
    ];
  }
  return { frame, picture, layer, where };
}

function reveal(one, shown) {
  one.style.display = shown ? "block" : "none";
}

function fill(picture, bytes, type = "image/jpeg") {
  const old = picture.src;
  picture.src = URL.createObjectURL(new Blob([bytes], { type }));
  if (old.startsWith("blob:")) URL.revokeObjectURL(old);
}

// Sends one thing at a time: the next goes out when the picture for the last has come.
function inTurn(model, send, answered) {
  let waiting = false, changed = false;
  function go() {
    if (waiting) { changed = true; return; }
    [waiting, changed] = [true, false];
    send();
  }
  function came() {
    waiting = false;
    answered(changed);
    if (changed) go();
  }
  model.on("change:drawn", came);
  return { go, stop: () => model.off("change:drawn", came) };
}

function step(event) {
  return { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
}

function labelled(text, control) {
  return made("label", {
    style: "display: inline-flex; align-items: center; gap: 0.4em; margin: 0.3em 1em 0.3em 0;" +
      "font-family: var(--jp-ui-font-family, sans-serif); font-size: 13px; color: var(--jp-ui-font-color1, inherit)",
  }, control, text);
}
