// Two inputs: open strata shaded by the gradient, the others as lines and points in the style of their verdicts, arrows
// of -AD, and descents. A click, or the arrow keys, asks for the judgement of the stratum there.

const SIDE = 560;
const SHADES = "0123456789abcdefghijklmnopqrstuvwxyz";

function drawMap(map, box) {
  const [[x0, x1], [y0, y1]] = map.box;
  const px = (x) => ((x - x0) / (x1 - x0)) * SIDE, py = (y) => SIDE - ((y - y0) / (y1 - y0)) * SIDE;
  const canvas = el("canvas", { width: "128", height: "120", "aria-hidden": "true" });
  const layers = { arrows: svg("g"), lines: svg("g"), descents: svg("g"), spots: svg("g"), here: svg("g") };
  const picture = svg("svg", {
    class: "map", viewBox: `0 0 ${SIDE} ${SIDE}`, tabindex: "0", role: "application",
    "aria-label": `strata over ${map.inputs.join(" and ")}; move with the arrow keys, Shift for smaller steps`,
  }, Object.values(layers));
  const answer = el("div", { id: "there", "aria-live": "polite" });
  const place = { x: (x0 + x1) / 2, y: (y0 + y1) / 2 };
  const ask = (found) => showJudged(map, found, answer, layers.here, px, py);
  picture.addEventListener("click", (event) => {
    const area = picture.getBoundingClientRect();
    place.x = x0 + ((event.clientX - area.left) / area.width) * (x1 - x0);
    place.y = y1 - ((event.clientY - area.top) / area.height) * (y1 - y0);
    ask(judgedAt(map, place.x, place.y, ((x1 - x0) / area.width) * 8, ((y1 - y0) / area.height) * 8));
  });
  picture.addEventListener("keydown", (event) => {
    const step = event.shiftKey ? 0.005 : 0.025;
    const move = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
    if (!move) return;
    event.preventDefault();
    place.x = Math.min(x1, Math.max(x0, place.x + move[0] * step * (x1 - x0)));
    place.y = Math.min(y1, Math.max(y0, place.y + move[1] * step * (y1 - y0)));
    ask(judgedAt(map, place.x, place.y, (x1 - x0) * step * 0.6, (y1 - y0) * step * 0.6));
  });
  map.lines.forEach((line) => layers.lines.append(lineMark(line, px, py)));
  map.arrows.forEach((arrow) => layers.arrows.append(arrowMark(arrow, map, px, py)));
  map.descents.forEach((one) => layers.descents.append(descentMark(one, px, py)));
  const list = el("select", { id: "places", "aria-label": "a stratum", onchange: () => {
    const stratum = map.strata[Number(list.value)];
    if (stratum) ask(atWitness(map, stratum));
  } }, el("option", { value: "" }, "choose a stratum"), map.strata.map((one, k) => el("option", { value: k }, `${named(map, one)}, dimension ${one.dimension}, ${one.verdict}`)));
  const toggles = [["arrows", "−AD", true], ["descents", "descents", map.descents.some((one) => one.stays)]].map(([name, text, on]) => {
    layers[name].setAttribute("visibility", on ? "visible" : "hidden");
    return el("label", {}, el("input", { type: "checkbox", checked: on, onchange: (event) => layers[name].setAttribute("visibility", event.target.checked ? "visible" : "hidden") }), ` ${text}`);
  });
  const refresh = () => { paint(canvas, map); spots(layers.spots, map, px, py, ask); };
  clear(box, el("div", { class: "beside" },
    el("div", {}, el("p", { class: "quiet" }, `${map.inputs[1]} upwards, ${decimal(y0)} to ${decimal(y1)}; ${map.inputs[0]} to the right, ${decimal(x0)} to ${decimal(x1)}`),
      el("div", { class: "pane drawing" }, canvas, picture)),
    el("div", {}, el("div", { class: "bar noprint" }, list, toggles), answer, mapLegend(map))));
  refresh();
  ask(firstPlace(map));
  return refresh;
}

function paint(canvas, map) {
  const rows = map.raster.length, columns = map.raster[0] ? map.raster[0].filter((_, k) => k % 2 === 0).reduce((a, b) => a + b, 0) : 0;
  if (!rows || !columns) return;
  canvas.width = columns;
  canvas.height = rows;
  const style = getComputedStyle(document.documentElement);
  const dark = !state.printing && style.colorScheme.includes("dark");
  const image = new ImageData(columns, rows);
  map.raster.forEach((runs, row) => {
    let column = 0;
    for (let k = 0; k < runs.length; k += 2) for (let n = 0; n < runs[k]; n += 1, column += 1) {
      const letter = map.shades.length ? map.shades[row][column] : " ";
      const light = letter === " " ? 0.5 : SHADES.indexOf(letter) / (SHADES.length - 1);
      const tone = letter === " " ? (dark ? 20 : 250) : dark ? 30 + 80 * light : 165 + 85 * light;
      image.data.set([tone, tone, tone + (dark ? 2 : -4), 255], 4 * ((rows - 1 - row) * columns + column));
    }
  });
  canvas.getContext("2d").putImageData(image, 0, 0);
}

function lineMark(line, px, py) {
  const mark = data.marks[line.verdict] || data.marks.unknown;
  return svg("g", { class: `v-${line.verdict}` }, line.paths.map((points) => svg("polyline", {
    class: "line", points: points.map(([x, y]) => `${px(x).toFixed(1)},${py(y).toFixed(1)}`).join(" "),
    "stroke-dasharray": mark.dashes.length ? mark.dashes.map((length) => length * 3).join(" ") : null,
  }, svg("title", {}, `${line.stratum}: ${line.verdict}`))));
}

function arrowMark([x, y, u, v], map, px, py) {
  const [[x0, x1], [y0, y1]] = map.box;
  const a = (u / (x1 - x0)), b = (v / (y1 - y0)), size = Math.hypot(a, b);
  const [cx, cy] = [px(x), py(y)];
  if (!size) return svg("circle", { class: "arrowhead", cx, cy, r: 1.6 });
  const [dx, dy] = [(a / size) * 9, (-b / size) * 9];
  return svg("g", {}, svg("line", { class: "arrow", x1: cx - dx, y1: cy - dy, x2: cx + dx, y2: cy + dy }),
    svg("polygon", { class: "arrowhead", points: `${cx + dx * 1.25},${cy + dy * 1.25} ${cx + dx * 0.5 - dy * 0.4},${cy + dy * 0.5 + dx * 0.4} ${cx + dx * 0.5 + dy * 0.4},${cy + dy * 0.5 - dx * 0.4}` }));
}

function descentMark(one, px, py) {
  const points = one.path.map(([x, y]) => `${px(x).toFixed(1)},${py(y).toFixed(1)}`);
  const [ex, ey] = one.path[one.path.length - 1];
  return svg("g", {}, svg("polyline", { class: "descent", points: points.join(" ") }, svg("title", {}, `descent ${one.about}${one.stays ? "; it stays" : ""}`)),
    svg("circle", { class: "open", cx: px(one.start[0]), cy: py(one.start[1]), r: 3.5 }),
    one.stays ? shape("square", px(ex), py(ey), 4, { fill: "currentColor" }) : null);
}

function spots(layer, map, px, py, ask) {
  clear(layer, map.spots.map((spot) => {
    const stratum = map.strata.find((one) => one.id === spot.stratum);
    const others = state.preset || Object.keys(state.values).length;
    const verdict = !map.slice ? verdictNow(spot.point, spot.verdict) : others ? "unknown" : spot.verdict;
    const star = spot.artificial && verdict === spot.verdict;
    const kind = star ? "star" : (data.marks[verdict] || data.marks.unknown).shape;
    return svg("g", { class: `v-${star ? "artificial-critical" : verdict}` }, shape(kind, px(spot.at[0]), py(spot.at[1]), 7, { class: "mark" }),
      svg("circle", { class: "hit", cx: px(spot.at[0]), cy: py(spot.at[1]), r: 14, tabindex: "0", role: "button", "aria-label": `${spot.stratum}: ${verdict}`,
        onclick: (event) => { event.stopPropagation(); if (stratum) ask(atWitness(map, stratum)); },
        onkeydown: (event) => { if (event.key === "Enter" && stratum) ask(atWitness(map, stratum)); } }, svg("title", {}, `${spot.stratum}: ${verdict}`)));
  }));
}

// A slice has a numbering of its own.
const named = (map, stratum) => (map.slice ? `${stratum.id} of the slice` : stratum.id);

// The verdict under the rules that are chosen now; `before` where the page cannot tell.
function verdictNow(id, before) {
  const point = pointOf(id);
  if (!point) return before;
  if (state.preset) {
    const row = point.presets.find((one) => one.name === state.preset);
    return row && row.verdict ? row.verdict : before;
  }
  const values = Object.keys(state.values).length ? rulesOf(point) : null;
  return values && point.right && point.right.ad ? underRules(point, values).verdict : before;
}

// The judgement at (x, y): of a stratum that is a point or a line within (dx, dy), else of the stratum of the point
// itself, in rationals.
function judgedAt(map, x, y, dx, dy) {
  const near = (a, b) => Math.hypot((a - x) / dx, (b - y) / dy);
  const spot = map.spots.find((one) => near(...one.at) < 1.4);
  if (spot) return atWitness(map, map.strata.find((one) => one.id === spot.stratum));
  let best = null;
  for (const line of map.lines) for (const points of line.paths) for (const [a, b] of closest(points, x, y, dx, dy)) {
    if (near(a, b) < 1 && (!best || near(a, b) < best.distance)) best = { distance: near(a, b), at: [a, b], line };
  }
  if (best && best.line.stratum) {
    const stratum = map.strata.find((one) => one.id === best.line.stratum);
    return { stratum, at: best.at, exact: null };
  }
  return insideOf(map, x, y);
}

// The point of a polyline that is nearest to (x, y), measured in (dx, dy).
function closest(points, x, y, dx, dy) {
  let found = [], least = Infinity;
  for (let k = 1; k < points.length; k += 1) {
    const [ax, ay] = [points[k - 1][0] / dx, points[k - 1][1] / dy], [bx, by] = [points[k][0] / dx, points[k][1] / dy];
    const [ux, uy] = [bx - ax, by - ay], length = ux * ux + uy * uy;
    const t = length ? Math.max(0, Math.min(1, ((x / dx - ax) * ux + (y / dy - ay) * uy) / length)) : 0;
    const [cx, cy] = [(ax + t * ux) * dx, (ay + t * uy) * dy];
    const distance = Math.hypot((cx - x) / dx, (cy - y) / dy);
    if (distance < least) [least, found] = [distance, [[cx, cy]]];
  }
  return found;
}

function insideOf(map, x, y) {
  const [[x0, x1]] = map.box;
  const digits = Math.max(0, Math.min(12, Math.ceil(3 - Math.log10(x1 - x0))));
  const exact = { [map.inputs[0]]: fromDecimal(x, digits), [map.inputs[1]]: fromDecimal(y, digits) };
  const at = map.inputs.map((name) => toFloat(exact[name]));
  const found = stratumAt(map.strata, exact);
  if (found === null) return middleOf(map, x, y); // a sign of exp, log and their kin
  return { stratum: found || null, at, exact, undecided: found === null };
}

// The middle of the pixel at (x, y): its verdict is not decided; the stratum that it was drawn with may be told.
function middleOf(map, x, y) {
  const [[x0, x1], [y0, y1]] = map.box, rows = map.raster.length;
  const row = Math.max(0, Math.min(rows - 1, Math.floor(((y - y0) / (y1 - y0)) * rows)));
  const runs = map.raster[row], columns = runs.reduce((sum_, count, k) => sum_ + (k % 2 ? 0 : count), 0);
  const column = Math.max(0, Math.min(columns - 1, Math.floor(((x - x0) / (x1 - x0)) * columns)));
  const at = [x0 + ((column + 0.5) / columns) * (x1 - x0), y0 + ((row + 0.5) / rows) * (y1 - y0)];
  let place = -1;
  for (let k = 0, end = runs[0]; k < runs.length; k += 2, end += runs[k]) {
    if (column < end) { place = runs[k + 1]; break; }
  }
  const stratum = place >= 0 ? map.strata[place] || null : null;
  return { stratum: null, drawn: stratum, at, exact: null, undecided: true };
}

function atWitness(map, stratum) {
  if (!stratum) return null;
  const values = stratum.witness.map((text) => exactText(text));
  const at = stratum.witness.map((text) => floatText(text));
  const exact = values.includes(null) ? null : Object.fromEntries(map.inputs.map((name, k) => [name, values[k]]));
  return { stratum, at, exact, witness: true };
}

function firstPlace(map) {
  const rank = ["spurious", "undefined", "discontinuous", "inexact", "clarke", "unknown", "exact"];
  const ordered = [...map.strata].sort((a, b) => rank.indexOf(a.verdict) - rank.indexOf(b.verdict) || a.dimension - b.dimension);
  return ordered.length ? atWitness(map, ordered[0]) : null;
}

function showJudged(map, found, answer, here, px, py) {
  if (!found) return clear(answer, el("p", { class: "quiet" }, "No stratum is known here."));
  const { stratum, at, exact } = found;
  clear(here, svg("circle", { class: "here", cx: px(at[0]), cy: py(at[1]), r: 9 }));
  const where = map.inputs.map((name, k) => `${name} ${exact ? equal(shown(ratioText(exact[name]))) : found.witness ? equal(shown(stratum.witness[k])) : `≈ ${decimal(at[k])}`}`).join(", ");
  if (!stratum) {
    const why = found.drawn ? `a sign was not decided here; the picture, made in floats, has it in ${named(map, found.drawn)}: ${whereStratum(found.drawn)} (${found.drawn.verdict} there)` : found.undecided ? "a sign was not decided here" : map.strataLeftOut ? "its stratum is not among those of this page" : "it lies in no stratum that is known: outside the domain, or not decided";
    return clear(answer, el("dl", {}, el("dt", {}, "at"), el("dd", { class: "number" }, where), el("dt", {}, "verdict"), el("dd", {}, badge("unknown"), ` ${why}`)));
  }
  const floats = Object.fromEntries(map.inputs.map((name, k) => [name, at[k]]));
  const point = pointOf(stratum.point);
  const truth = stratum.gradient
    ? [term("gradient"), vectors(rowsAt(stratum.gradient, exact, floats))]
    : [term("Clarke"), stratum.clarke ? `hull of ${stratum.clarke.map((one) => vectors(rowsAt(one, exact, floats))).join(", ")}` : "not known"];
  if (point && found.witness) choosePoint(point);
  return clear(answer, el("dl", {},
    el("dt", {}, "at"), el("dd", { class: "number" }, where),
    el("dt", {}, term("stratum")), el("dd", {}, `${named(map, stratum)}, dimension ${stratum.dimension}: `, number(whereStratum(stratum))),
    el("dt", {}, "verdict"), el("dd", {}, badge(stratum.verdict), stratum.artificial ? artificial() : null, stratum.reason ? ` ${stratum.reason}` : ""),
    el("dt", {}, term("AD")), el("dd", { class: "number" }, stratum.ad ? vectors(rowsAt(stratum.ad, exact, floats)) : "none"),
    el("dt", {}, truth[0]), el("dd", { class: "number" }, truth[1])),
  point && !found.witness ? el("button", { type: "button", class: "noprint", onclick: () => { choosePoint(point); } }, "its witness, in full below") : null);
}

function mapLegend(map) {
  const kinds = [...new Set([...map.lines, ...map.spots].map((one) => one.verdict))];
  return el("p", { class: "legend" }, kinds.map((verdict) => {
    const mark = data.marks[verdict];
    return el("span", { class: `v-${verdict}` }, svg("svg", { width: 76, height: 16, viewBox: "0 0 76 16", "aria-hidden": "true" },
      svg("line", { class: "line", x1: 0, x2: 56, y1: 8, y2: 8, "stroke-dasharray": mark.dashes.map((length) => length * 3).join(" ") || null }),
      shape(mark.shape, 67, 8, 5, { class: "mark" })), term(verdict));
  }), map.descents.length ? el("span", {}, "○ start of a descent, ■ it stays there; each step goes to ", map.step) : null);
}
