// A picture that the kernel changes.

function render({ model, el }) {
  const [width] = model.get("size"); // its own size, so that no pixel is made up
  const picture = made("img", { alt: model.get("alt"), style: `display: block; width: ${width}px; max-width: 100%` });
  const show = () => fill(picture, model.get("picture"));
  model.on("change:picture", show);
  el.append(picture);
  show();
  return () => model.off("change:picture", show);
}

export default { render };
