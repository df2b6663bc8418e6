// One input: f above, its derivative below. The closed dot is what AD returns, the open dot the gradient.

const WIDE = 720, LEFT = 64, RIGHT = 24;

function drawCurve(curve, box) {
  const view = { low: curve.low, high: curve.high };
  const dots = curve.dots;
  let centre = dots.find((dot) => dot.verdict === "spurious") || dots[0] || null;
  const upper = svg("svg", { class: "drawing wide", viewBox: `0 0 ${WIDE} 220`, role: "img", "aria-label": `f over ${curve.input}` });
  const lower = svg("svg", { class: "drawing wide", viewBox: `0 0 ${WIDE} 300`, role: "group", "aria-label": `the derivative over ${curve.input}` });
  const zoom = el("input", { type: "range", id: "zoom", min: "0", max: "12", step: "0.25", value: "0", oninput: () => refresh() });
  const scale = el("output", { for: "zoom" });
  const select = el("select", { "aria-label": "zoom around", onchange: () => { centre = dots[Number(select.value)]; refresh(); } },
    dots.map((dot, k) => el("option", { value: k, selected: dot === centre }, `${curve.input} = ${decimal(dot.x)}`)));
  const probe = el("input", { type: "range", id: "probe", min: "0", max: String(PROBE_STEPS), step: "1", "aria-label": `${curve.input}`, oninput: () => refresh() });
  const told = el("output", { for: "probe", id: "probed" });
  probe.value = String(centre ? Math.round(((centre.x - curve.low) / (curve.high - curve.low)) * PROBE_STEPS) : PROBE_STEPS / 2);
  const refresh = () => {
    const power = Number(zoom.value), half = ((curve.high - curve.low) / 2) * 10 ** -power;
    const middle = power && centre ? centre.x : (curve.low + curve.high) / 2;
    Object.assign(view, { low: middle - half, high: middle + half, middle, value: power && centre ? centre.value : undefined });
    scale.textContent = power ? `×${decimal(10 ** power)}` : "the whole";
    const found = probedAt(curve, view, Number(probe.value));
    drawUpper(upper, curve, view, found);
    drawLower(lower, curve, view, found);
    clear(told, probeWords(found, curve));
  };
  zoom.addEventListener("input", () => { if (Number(zoom.value) && centre) { probe.value = String(PROBE_STEPS / 2); refresh(); } });
  clear(box, upper, el("div", { class: "bar" }, el("label", { for: "probe", class: "noprint" }, "move the point"), probe, told), lower,
    dots.length ? el("div", { class: "bar noprint" }, el("label", { for: "zoom" }, "zoom"), zoom, scale, dots.length > 1 ? ["around", select] : null) : null,
    curveLegend());
  refresh();
  return refresh;
}

const across = (view, x) => LEFT + ((x - view.low) / (view.high - view.low)) * (WIDE - LEFT - RIGHT);

function frame(target, view, low, high, height, label, input, base) {
  const top = 30, bottom = height - 28;
  const y = (value) => bottom - ((value - low) / (high - low || 1)) * (bottom - top);
  clear(target, axisTexts({ low, high, middle: base }, 4).map(([value, text]) => [
    svg("line", { class: Math.abs(value) < 1e-12 ? "zero" : "axis", x1: LEFT, x2: WIDE - RIGHT, y1: y(value), y2: y(value) }),
    svg("text", { x: LEFT - 8, y: y(value) + 4, "text-anchor": "end" }, text)]).flat(),
  axisTexts(view, 6).map(([value, text]) => svg("text", { x: across(view, value), y: height - 8, "text-anchor": "middle" }, text)),
  svg("text", { class: "name", x: 8, y: 20 }, label), svg("text", { class: "name halo", x: WIDE - 8, y: bottom - 6, "text-anchor": "end" }, input));
  return { y, top, bottom };
}

// Numbers at an axis; far inside a zoom they are told from its middle.
function axisTexts(view, count) {
  const width = view.high - view.low;
  const near = Number.isFinite(view.middle) && view.middle !== 0 && width < Math.abs(view.middle) * 1e-2;
  const values = near ? steps(view.low - view.middle, view.high - view.middle, 4) : steps(view.low, view.high, count);
  return values.map((value) => (near
    ? [view.middle + value, value === 0 ? decimal(view.middle) : `${value > 0 ? "+" : ""}${decimal(value)}`] : [value, decimal(value)]));
}

function steps(low, high, count) {
  const rough = (high - low) / count;
  if (!(rough > 0) || !Number.isFinite(rough)) return [low];
  const base = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((k) => k * base).find((size) => size >= rough);
  const found = [];
  for (let k = Math.ceil(low / step - 1e-9); k * step <= high + step * 1e-9; k += 1) found.push(Number((k * step).toPrecision(12)));
  return found;
}

// What is seen of an arc: its samples inside the view, with the ends of the view by interpolation.
function visible(arc, view, ys) {
  const found = [];
  const from = Math.max(view.low, arc.low), to = Math.min(view.high, arc.high);
  if (from >= to) return found;
  const between = (x) => interpolated(arc, x, ys);
  found.push([from, between(from)]);
  arc.xs.forEach((x, k) => { if (x > from && x < to) found.push([x, ys[k]]); });
  found.push([to, between(to)]);
  return found;
}

function path(points, view, y) {
  let text = "", pen = false;
  for (const [x, value] of points) {
    if (value === null || Number.isNaN(value)) { pen = false; continue; }
    text += `${pen ? "L" : "M"}${across(view, x).toFixed(2)} ${Math.max(-4000, Math.min(4000, y(value))).toFixed(2)}`;
    pen = true;
  }
  return text;
}

// The derivative on an arc: by its formula where the stratum has one, else by the samples.
function slopesOf(curve, arc, view) {
  const stratum = curve.strata.find((one) => one.id === arc.stratum);
  const text = stratum && stratum.ad && stratum.ad.length === 1 && stratum.ad[0].length === 1 ? stratum.ad[0][0] : null;
  const from = Math.max(view.low, arc.low), to = Math.min(view.high, arc.high);
  const tree = text === null ? null : formula(text);
  if (tree === null || from >= to || Number.isNaN(inFloats(tree, { [curve.input]: (from + to) / 2 }))) return visible(arc, view, arc.ad);
  return Array.from({ length: 161 }, (_, k) => {
    const x = from + ((to - from) * k) / 160;
    return [x, inFloats(tree, { [curve.input]: x })];
  });
}

// f on an arc. Samples have few digits: inside a zoom f is its value at a dot where it does not jump, and the area under
// its slope from there.
function valuesOf(curve, arc, view) {
  const samples = visible(arc, view, arc.values);
  const dot = curve.dots.find((one) => one.value !== null && one.verdict !== "discontinuous" && view.low <= one.x && one.x <= view.high && (one.x === arc.low || one.x === arc.high));
  if (!dot || arc.verdict !== "exact" || (view.low <= curve.low && view.high >= curve.high)) return samples;
  const slopes = slopesOf(curve, arc, view);
  if (!slopes.length || slopes.some(([, slope]) => slope === null || !Number.isFinite(slope))) return samples;
  if (dot.x === arc.high) slopes.reverse();
  let [x, slope] = slopes[0], value = dot.value;
  const found = slopes.map(([there, next_]) => {
    value += ((there - x) * (slope + next_)) / 2;
    [x, slope] = [there, next_];
    return [x, value];
  });
  return dot.x === arc.high ? found.reverse() : found;
}

function extent(values, fallback) {
  const known = values.filter((value) => value !== null && Number.isFinite(value));
  if (!known.length) return fallback;
  const low = Math.min(...known), high = Math.max(...known);
  const pad = (high - low) * 0.12 || Math.abs(high) * 0.2 || 1;
  return [low - pad, high + pad];
}

// What is drawn between the axes and does not cover their numbers.
const inner = (height, ...marks) => svg("svg", { y: 24, width: WIDE, height: height - 50, viewBox: `0 24 ${WIDE} ${height - 50}` }, marks);

function drawUpper(target, curve, view, found) {
  const pieces = curve.arcs.map((arc) => valuesOf(curve, arc, view));
  const whole = view.low <= curve.low && view.high >= curve.high;
  const [low, high] = whole ? padded(curve.valueRange) : extent(pieces.flat().map(([, value]) => value), [0, 1]);
  const { y } = frame(target, view, low, high, 220, "f", curve.input, view.value);
  const [lines, here] = probeMarks(found, view, y);
  target.append(inner(220, pieces.map((points) => svg("path", { class: "curve", d: path(points, view, y) })), lines));
  for (const dot of curve.dots) {
    if (dot.x < view.low || dot.x > view.high) continue;
    const jumps = dot.verdict === "discontinuous"; // there the value is a closed dot, and what is approached an open one
    const ends = jumps ? pieces.flat().filter(([x, value]) => x === dot.x && value !== null && Math.abs(value - dot.value) > (high - low) * 1e-4) : [];
    target.append(...ends.map(([, value]) => svg("circle", { class: "open", cx: across(view, dot.x), cy: y(value), r: 3.5 })));
    if (dot.value !== null) target.append(svg("circle", { class: jumps ? "closed" : "open", cx: across(view, dot.x), cy: y(dot.value), r: 3.5 }));
  }
  if (here) target.append(here);
}

const padded = ([low, high]) => {
  const pad = (high - low) * 0.08 || 1;
  return [low - pad, high + pad];
};

// What AD returns at a dot now: under the rules of the page, of a framework, or of the sliders. On a slice the verdict
// under other rules is not known: the page's verdicts are about all inputs together.
function dotNow(curve, dot) {
  const before = { ad: dot.ad, verdict: dot.verdict };
  const point = pointOf(dot.point), whole = isWhole();
  if (state.preset) {
    const pair = dot.presets.find(([name]) => name === state.preset);
    if (!pair) return before; // nothing is tied: all frameworks agree
    const row = whole && point ? point.presets.find((one) => one.name === state.preset) : null;
    return { ad: pair[1], verdict: (row && row.verdict) || "unknown" };
  }
  const values = point && Object.keys(state.values).length ? rulesOf(point) : null;
  if (!values || !Object.keys(values).length || !point.right.ad) return before;
  const text = point.right.ad[0][data.entries.indexOf(curve.input)];
  const about = floatText(text, Object.fromEntries(Object.entries(values).map(([name, value]) => [name, toFloat(value)])));
  return { ad: Number.isFinite(about) ? about : null, verdict: whole ? underRules(point, values).verdict : "unknown" };
}

// Whether the derivative is one number, so that a curve shows all of it.
const isWhole = () => data.entries.length === 1 && data.points.every((point) => point.backward.length === 1);

function drawLower(target, curve, view, found) {
  const pieces = curve.arcs.map((arc) => slopesOf(curve, arc, view));
  const dots = curve.dots.filter((dot) => dot.x >= view.low && dot.x <= view.high);
  const marks = dots.flatMap((dot) => [dotNow(curve, dot).ad, dot.gradient, ...(dot.clarke || []), ...dot.presets.map(([, slope]) => slope)]);
  const whole = view.low <= curve.low && view.high >= curve.high;
  const [low, high] = extent([...marks, ...(whole ? curve.adRange : pieces.flat().map(([, value]) => value))], [-1, 1]);
  const { y } = frame(target, view, low, high, 300, "f′ and AD", curve.input);
  curve.arcs.forEach((arc, k) => target.append(svg("path", {
    class: `curve v-${arc.verdict}${["exact", "unknown"].includes(arc.verdict) ? "" : " marked"}`, d: path(pieces[k], view, y),
    "stroke-dasharray": ["exact", "unknown"].includes(arc.verdict) ? null : data.marks[arc.verdict].dashes.map((one) => one * 2).join(" ") || null,
  })));
  curve.arcs.forEach((arc, k) => target.append(...nowhere(arc, pieces[k], view)));
  target.append(svg("line", { class: "zero", x1: across(view, found.x), x2: across(view, found.x), y1: 30, y2: 272 }));
  dots.forEach((dot) => target.append(dotMarks(curve, dot, across(view, dot.x), y)));
}

// Along the top: where AD returns no number on a whole arc.
function nowhere(arc, points, view) {
  if (arc.verdict !== "undefined" || !points.length || points.some(([, slope]) => slope !== null && !Number.isNaN(slope))) return [];
  return [svg("line", {
    class: "curve v-undefined marked", x1: across(view, points[0][0]), x2: across(view, points[points.length - 1][0]), y1: 27, y2: 27,
    "stroke-dasharray": data.marks.undefined.dashes.map((one) => one * 2).join(" ") || null,
  }, svg("title", {}, "AD: NaN or ∞"))];
}

function dotMarks(curve, dot, x, y) {
  const now = dotNow(curve, dot);
  const ends = dot.clarke && dot.clarke.map((value) => Math.max(-4000, Math.min(4000, y(value))));
  const point = pointOf(dot.point);
  const label = `${curve.input} = ${decimal(dot.x)}: AD ${now.ad === null ? "no number" : decimal(now.ad)}, ${now.verdict}`;
  const act = () => choosePoint(point);
  return svg("g", { class: `v-${now.verdict}` },
    ends ? svg("line", { class: "interval", x1: x, x2: x, y1: ends[0] + 2, y2: ends[1] - 2 }) : null,
    fanned(dot.presets).map(([slope, names, side]) => svg("line", { class: "tick", x1: x + side * 8, x2: x + side * 16, y1: y(slope), y2: y(slope) },
      svg("title", {}, `${names.join(", ")}: ${decimal(slope)}`))),
    fanned(dot.presets).map(([slope, names, side]) => svg("text", { class: "halo", x: x + side * 20, y: y(slope) + 4, "text-anchor": side > 0 ? "start" : "end" },
      names.length > 2 ? `${names[0]} and ${names.length - 1} more` : names.join(", "))),
    dot.gradient !== null ? shape("circle", x, y(dot.gradient), 6, { class: "open" }) : null,
    now.ad !== null ? shape((data.marks[now.verdict] || data.marks.unknown).shape, x, y(now.ad), 6, { class: "mark" }) : null,
    now.ad === null ? svg("text", { x, y: 20, "text-anchor": "middle", class: "alarm halo" }, "AD: NaN or ∞") : null,
    svg("circle", {
      class: "hit", cx: x, cy: now.ad === null ? 16 : y(now.ad), r: 14, tabindex: point ? "0" : null, role: "button", "aria-label": label, onclick: act,
      onkeydown: (event) => { if (event.key === "Enter" || event.key === " ") { event.preventDefault(); act(); } },
    }, svg("title", {}, label)));
}

// Frameworks by what they return, on alternating sides: [slope, names, side].
function fanned(presets) {
  const groups = new Map();
  for (const [name, slope] of presets) if (slope !== null) groups.set(slope, [...(groups.get(slope) || []), name]);
  return [...groups].sort((a, b) => a[0] - b[0]).map(([slope, names], k) => [slope, names, k % 2 ? -1 : 1]);
}

function curveLegend() {
  const small = (...marks) => svg("svg", { width: 26, height: 18, viewBox: "0 0 26 18", "aria-hidden": "true" }, marks);
  return el("p", { class: "legend" },
    el("span", { class: "v-exact" }, small(shape("circle", 13, 9, 5, { class: "mark" })), "AD, right"),
    el("span", { class: "v-spurious" }, small(shape("cross", 13, 9, 5, { class: "mark" })), "AD, ", term("spurious")),
    el("span", {}, small(shape("circle", 13, 9, 5, { class: "open" })), term("gradient", "the true derivative")),
    el("span", {}, small(svg("line", { class: "interval", x1: 13, x2: 13, y1: 1, y2: 17 })), term("Clarke", "Clarke interval")),
    el("span", {}, small(svg("line", { class: "tick", x1: 6, x2: 18, y1: 9, y2: 9 })), "a framework"));
}
