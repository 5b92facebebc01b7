// A picture with points on it that can be dragged, or moved by the arrow keys, and a mesh that follows.

function render({ model, el }) {
  const size = model.get("size");
  const { frame, picture, layer, where } = framed(size, model.get("alt"));
  const mesh = made("path", { style: "fill: none; stroke: white; stroke-opacity: 0.35; stroke-width: 0.5" });
  layer.append(mesh);
  el.append(frame);

  const edges = model.get("edges");
  if (edges.length) {
    const shown = made("input", { type: "checkbox" });
    shown.checked = true;
    shown.onchange = () => reveal(mesh, shown.checked);
    el.append(labelled("mesh", shown));
  }

  const received = () => model.get("points").map((point) => [...point]);
  let points = received();

  function place(handle, at) {
    handle.setAttribute("cx", points[at][0]);
    handle.setAttribute("cy", points[at][1]);
  }

  function move(handle, at, [x, y]) {
    points[at] = [Math.min(Math.max(x, 0), size[0] - 1), Math.min(Math.max(y, 0), size[1] - 1)];
    place(handle, at);
    turns.go();
  }

  const names = model.get("names");
  const handles = points.map((_, at) => {
    const handle = made("circle", {
      r: Math.max(4, size[0] / 80), tabindex: 0, role: "button", "aria-label": names[at],
      style: "fill: #0072B2; fill-opacity: 0.7; stroke: white; stroke-width: 1.5; cursor: move",
    }, made("title", {}, names[at]));
    handle.onpointerdown = (event) => handle.setPointerCapture(event.pointerId);
    handle.onpointermove = (event) => {
      if (handle.hasPointerCapture(event.pointerId)) move(handle, at, where(event));
    };
    handle.onkeydown = (event) => {
      const by = step(event);
      if (!by) return;
      event.preventDefault();
      event.stopPropagation();
      move(handle, at, [points[at][0] + by[0], points[at][1] + by[1]]);
    };
    place(handle, at);
    layer.append(handle);
    return handle;
  });

  function show() {
    fill(picture, model.get("picture"));
    const bytes = model.get("vertices");
    const at = new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
    mesh.setAttribute("d", edges.map(([a, b]) =>
      `M${at[2 * a]} ${at[2 * a + 1]}L${at[2 * b]} ${at[2 * b + 1]}`).join(""));
  }

  const turns = inTurn(model, () => {
    model.set("points", points.map((point) => [...point]));
    model.save_changes();
  }, (more) => {
    show();
    if (more) return;
    points = received();
    handles.forEach(place);
  });
  show();
  return turns.stop;
}

export default { render };
