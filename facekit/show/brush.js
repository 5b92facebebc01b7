// A mask that is painted on a picture; the kernel paints, and answers with the picture and the mask's outline.

function render({ model, el }) {
  const size = model.get("size");
  const { frame, picture, layer, where } = framed(size, model.get("alt"));
  const outline = made("path", {
    style: "fill: none; stroke: white; stroke-width: 1.5; paint-order: stroke; filter: drop-shadow(0 0 1px black)",
  });
  const trail = made("path", {
    style: "fill: none; stroke: #E69F00; stroke-opacity: 0.5; stroke-linecap: round; stroke-linejoin: round",
  });
  const brush = made("circle", { style: "fill: none; stroke: #E69F00; stroke-width: 1" });
  layer.append(outline, trail, brush);
  frame.setAttribute("tabindex", 0);
  frame.setAttribute("role", "application");
  frame.setAttribute("aria-label", "mask: arrow keys move the brush, the space bar paints");
  frame.style.cursor = "crosshair";

  const erase = made("input", { type: "checkbox" });
  const radius = made("input", { type: "range", min: 1, max: Math.round(size[0] / 8), value: model.get("radius") });
  el.append(frame, labelled("erase", erase), labelled("brush", radius));

  let at = [size[0] / 2, size[1] / 2], pieces = []; // strokes, or what is not sent yet of them

  function drawBrush() {
    brush.setAttribute("cx", at[0]);
    brush.setAttribute("cy", at[1]);
    brush.setAttribute("r", radius.valueAsNumber);
  }

  function begin() {
    pieces.push({ points: [], radius: radius.valueAsNumber, erase: erase.checked });
  }

  function dab() {
    const { points } = pieces.at(-1);
    points.push([...at]);
    trail.setAttribute("stroke-width", 2 * radius.valueAsNumber);
    trail.setAttribute("d", "M" + [...points, at].map((point) => point.join(" ")).join("L"));
    turns.go();
  }

  frame.onpointerdown = (event) => {
    frame.setPointerCapture(event.pointerId);
    frame.focus({ preventScroll: true });
    event.preventDefault();
    at = where(event);
    begin();
    dab();
  };
  frame.onpointermove = (event) => {
    at = where(event);
    drawBrush();
    if (frame.hasPointerCapture(event.pointerId)) dab();
  };
  frame.onkeydown = (event) => {
    const by = step(event);
    if (!by && event.key !== " ") return;
    event.preventDefault();
    event.stopPropagation();
    if (by) at = at.map((value, k) => Math.min(Math.max(value + 4 * by[k], 0), size[k] - 1));
    else { begin(); dab(); }
    drawBrush();
  };
  radius.oninput = drawBrush;

  function show() {
    fill(picture, model.get("picture"));
    outline.setAttribute("d", model.get("outline"));
  }

  const turns = inTurn(model, () => {
    model.send({ pieces });
    const last = pieces.at(-1);
    pieces = [{ ...last, points: last.points.slice(-1) }]; // the stroke goes on from here
  }, (more) => {
    show();
    if (!more) trail.setAttribute("d", "");
  });
  drawBrush();
  show();
  return turns.stop;
}

export default { render };
