// A picture with points on it that can be dragged, or moved by the arrow keys.
// Positions are sent one at a time: the next ones when the picture for the last ones has come.

const SVG = "http://www.w3.org/2000/svg";

function render({ model, el }) {
  const [width, height] = model.get("size");
  const box = document.createElement("div");
  box.style.cssText = `position: relative; width: ${width}px; max-width: 100%; touch-action: none`;
  const picture = document.createElement("img");
  picture.alt = model.get("alt");
  picture.style.cssText = "display: block; width: 100%";
  const layer = document.createElementNS(SVG, "svg");
  layer.setAttribute("viewBox", `0 0 ${width} ${height}`);
  layer.style.cssText = "position: absolute; inset: 0; width: 100%; height: 100%";
  box.append(picture, layer);
  el.append(box);

  let points = model.get("points").map((point) => [...point]);
  let waiting = false, changed = false;

  function send() {
    if (waiting) { changed = true; return; }
    waiting = true;
    changed = false;
    model.set("points", points.map((point) => [...point]));
    model.save_changes();
  }

  function place(handle, at) {
    handle.setAttribute("cx", points[at][0] + 0.5);
    handle.setAttribute("cy", points[at][1] + 0.5);
  }

  function move(handle, at, x, y) {
    points[at] = [Math.min(Math.max(x, 0), width - 1), Math.min(Math.max(y, 0), height - 1)];
    place(handle, at);
    send();
  }

  const handles = points.map((_, at) => {
    const handle = document.createElementNS(SVG, "circle");
    handle.setAttribute("r", 5);
    handle.setAttribute("tabindex", 0);
    handle.setAttribute("role", "slider");
    handle.setAttribute("aria-label", `point ${at + 1}`);
    handle.style.cssText = "fill: #0072B2; fill-opacity: 0.6; stroke: white; stroke-width: 1.5; cursor: move";
    handle.onpointerdown = (event) => handle.setPointerCapture(event.pointerId);
    handle.onpointermove = (event) => {
      if (!handle.hasPointerCapture(event.pointerId)) return;
      const seen = layer.getBoundingClientRect();
      move(handle, at, ((event.clientX - seen.left) / seen.width) * width,
        ((event.clientY - seen.top) / seen.height) * height);
    };
    handle.onkeydown = (event) => {
      const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
      if (!step) return;
      event.preventDefault();
      event.stopPropagation();
      move(handle, at, points[at][0] + step[0], points[at][1] + step[1]);
    };
    place(handle, at);
    layer.append(handle);
    return handle;
  });

  function show() {
    const old = picture.src;
    picture.src = URL.createObjectURL(new Blob([model.get("picture")], { type: "image/jpeg" }));
    if (old) URL.revokeObjectURL(old);
  }

  function answered() {
    show();
    waiting = false;
    if (changed) send();
    else {
      points = model.get("points").map((point) => [...point]);
      handles.forEach(place);
    }
  }

  model.on("change:drawn", answered);
  show();
  return () => model.off("change:drawn", answered);
}

export default { render };
