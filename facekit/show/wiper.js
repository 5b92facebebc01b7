// Two pictures on top of each other, and a line to wipe from one to the other.

function render({ model, el }) {
  const [before, after] = ["before", "after"].map((name) => {
    const picture = made("img", {
      alt: model.get(name + "_alt"), draggable: "false", style: "display: block; width: 100%",
    });
    fill(picture, model.get(name));
    return picture;
  });
  const [width] = model.get("size");
  const line = made("div", {
    style: "position: absolute; top: 0; bottom: 0; width: 2px; background: white; box-shadow: 0 0 2px black",
  });
  const frame = made("div", {
    style: `position: relative; width: ${width}px; max-width: 100%; touch-action: none; cursor: ew-resize`,
  }, before, after, line);
  after.style.cssText += "position: absolute; inset: 0";
  const dial = made("input", {
    type: "range", min: 0, max: 1, step: 0.01, "aria-label": model.get("label"),
    style: `display: block; width: ${width}px; max-width: 100%; margin: 0.4em 0`,
  });

  function show() {
    const at = model.get("at");
    dial.value = at;
    line.style.left = `calc(${100 * at}% - 1px)`;
    after.style.clipPath = `inset(0 0 0 ${100 * at}%)`;
  }

  function wipe(at) {
    model.set("at", Math.min(Math.max(at, 0), 1));
    model.save_changes();
  }

  dial.oninput = () => wipe(dial.valueAsNumber);
  const follow = (event) => {
    if (!frame.hasPointerCapture(event.pointerId)) return;
    const seen = frame.getBoundingClientRect();
    wipe((event.clientX - seen.left) / seen.width);
  };
  frame.onpointerdown = (event) => { frame.setPointerCapture(event.pointerId); follow(event); };
  frame.onpointermove = follow;
  model.on("change:at", show);
  el.append(frame, dial);
  show();
  return () => model.off("change:at", show);
}

export default { render };
