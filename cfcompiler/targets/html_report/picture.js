// The picture, or the pictures: the reader chooses which inputs move.

function drawPicture() {
  const drawn = [...data.maps.map((map) => ({ what: map, draw: drawMap })), ...data.curves.map((curve) => ({ what: curve, draw: drawCurve }))];
  if (!drawn.length) {
    section("picture", "The picture", null, el("p", { class: "quiet" }, `There is none: ${data.undrawn || "nothing moves"}.`));
    return;
  }
  const box = el("div"), words = el("p", { class: "note" });
  let refresh = () => undefined;
  const show = (k) => {
    const { what, draw } = drawn[k];
    refresh = draw(what, box);
    const fixed = what.fixed.length ? [`Fixed: ${what.fixed.map(([name, value]) => `${name} = ${shown(value)}`).join(", ")}.`] : [];
    words.textContent = [...fixed, ...what.about.map((text) => `${text[0].toUpperCase()}${text.slice(1)}.`),
      ...what.unknown.slice(0, 2).map((text) => `Not decided: ${text}.`)].join(" ");
  };
  const label = ({ what }) => (what.inputs ? what.inputs.join(" and ") : `${what.input} alone`);
  const many = drawn.length > 1 ? el("div", { class: "bar noprint" }, el("label", { for: "slice" }, "what moves"),
    el("select", { id: "slice", onchange: (event) => show(Number(event.target.value)) }, drawn.map((one, k) => el("option", { value: k },
      `${label(one)}${one.what.fixed.length ? ` (${one.what.fixed.map(([name, value]) => `${name} = ${shown(value)}`).join(", ").slice(0, 60)})` : ""}`)))) : null;
  const title = drawn[0].what.inputs ? "The strata" : "The function and what AD says of its slope";
  section("picture", title, drawn[0].what.inputs
    ? "Each {stratum} has one verdict. Brightness tells the gradient of f. Click anywhere, or use the arrow keys, to ask for a judgement."
    : "The closed mark is what {AD} returns, the open dot is the true {gradient}, the bar the {Clarke} interval. Move the point: the solid line has the slope that AD returns, the broken one the true slope. The zoom shows that the marks stay, however near you look.",
  many, box, words);
  show(0);
  when("rules", () => refresh());
  when("place", () => refresh());
}
