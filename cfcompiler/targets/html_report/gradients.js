// Gradient space at the chosen point: limiting gradients and their hull, what AD returns, and what no approach realises.

const SPACE = 420;

function drawGradients() {
  if (!data.points.length) return;
  const box = el("div");
  section("gradients", "Gradients at this point",
    "Each direction of approach gives a {limiting gradient}; their hull is the {Clarke} subdifferential. {AD} returns one vector of the hull of {D}, which may lie outside.",
    box);
  const show = () => {
    const point = state.point, axes = axesOf(point);
    if (!axes.length) return clear(box, el("p", { class: "quiet" }, "No vector is known here."));
    const chosen = spread(point, axes);
    const paint = () => clear(picture, axes.length === 1 ? onLine(point, chosen[0]) : inPlane(point, chosen));
    const picture = el("div");
    const pick = (which) => el("select", { "aria-label": which ? "upwards" : "to the right", onchange: (event) => {
      chosen[which] = axes[Number(event.target.value)];
      paint();
    } }, axes.slice(0, 64).map((axis, k) => el("option", { value: k, selected: axis === chosen[which] }, axis.name)));
    clear(box, axes.length > 2 ? el("div", { class: "bar noprint" }, "to the right", pick(0), "upwards", pick(1),
      el("span", { class: "quiet" }, `a projection of ${axes.length} numbers`)) : null,
    el("div", { class: "beside" }, picture, el("div", {}, spaceWords(point), spaceLegend())));
    paint();
    return undefined;
  };
  when("point", show);
  when("rules", show);
}

// The numbers of a derivative: by which entry, of which output.
function axesOf(point) {
  const rows = point.backward || [];
  return rows.flatMap((row, i) => row.map((_, k) => ({ row: i, entry: k, name: `∂f${rows.length > 1 ? i + 1 : ""}/∂${data.entries[k] || k}` })));
}

const at = (rows, axis) => (rows ? floatText(rows[axis.row][axis.entry]) : NaN);

// The two numbers that differ most among what is drawn.
function spread(point, axes) {
  const all = [...point.bouligand.vertices, ...point.field.vertices];
  const width = (axis) => {
    const values = all.map((rows) => at(rows, axis)).filter(Number.isFinite);
    return values.length ? Math.max(...values) - Math.min(...values) : 0;
  };
  const ordered = axes.length > 2 ? [...axes].sort((a, b) => width(b) - width(a)).slice(0, 2) : [...axes];
  return ordered.sort((a, b) => axes.indexOf(a) - axes.indexOf(b));
}

const key = (rows) => JSON.stringify(rows);

// Vertices of D that are no limiting gradients; none are told where the limiting gradients are not all known.
function unrealised(point) {
  if (!point.bouligand.complete || point.asField) return [];
  const real = new Set(point.bouligand.vertices.map(key));
  return point.field.vertices.filter((rows) => !real.has(key(rows)));
}

function adNow(point) {
  if (state.preset) {
    const row = point.presets.find((one) => one.name === state.preset);
    if (row && row.backward) return { rows: row.backward, verdict: row.verdict || "unknown" };
  }
  const values = Object.keys(state.values).length ? rulesOf(point) : null;
  const now = values && point.right && point.right.ad ? underRules(point, values) : null;
  return now && now.ad ? { rows: now.ad.map((row) => row.map((text) => text.replace("≈ ", ""))), verdict: now.verdict } : { rows: point.backward, verdict: point.verdict };
}

function inPlane(point, [across_, up]) {
  const limits = (point.asField ? point.field : point.bouligand).vertices.map((rows) => [at(rows, across_), at(rows, up)]);
  const hollow = unrealised(point).map((rows) => [at(rows, across_), at(rows, up)]);
  const now = adNow(point), ad = [at(now.rows, across_), at(now.rows, up)];
  const gradient = point.gradient ? [at(point.gradient, across_), at(point.gradient, up)] : null;
  const field = point.field.vertices.map((rows) => [at(rows, across_), at(rows, up)]);
  const [[x0, x1], [y0, y1]] = [0, 1].map((k) => around([[0, 0], ad, ...limits, ...hollow, ...(gradient ? [gradient] : [])].map((one) => one[k])));
  const px = (x) => ((x - x0) / (x1 - x0)) * SPACE, py = (y) => SPACE - ((y - y0) / (y1 - y0)) * SPACE;
  const drawn = (points) => points.map(([x, y]) => `${px(x).toFixed(1)},${py(y).toFixed(1)}`).join(" ");
  const finite = (points) => points.filter((one) => one.every(Number.isFinite));
  return svg("svg", { class: "drawing", viewBox: `-30 -10 ${SPACE + 40} ${SPACE + 34}`, role: "img", "aria-label": `gradients at ${whereText(point)}` },
    steps(x0, x1, 5).map((x) => [svg("line", { class: x === 0 ? "zero" : "axis", x1: px(x), x2: px(x), y1: 0, y2: SPACE }),
      svg("text", { x: px(x), y: SPACE + 16, "text-anchor": "middle" }, decimal(x))]).flat(),
    steps(y0, y1, 5).map((y) => [svg("line", { class: y === 0 ? "zero" : "axis", x1: 0, x2: SPACE, y1: py(y), y2: py(y) }),
      svg("text", { x: -4, y: py(y) + 4, "text-anchor": "end" }, decimal(y))]).flat(),
    svg("text", { class: "name", x: SPACE - 4, y: SPACE - 6, "text-anchor": "end" }, across_.name), svg("text", { class: "name", x: 4, y: 12 }, up.name),
    svg("polygon", { class: "hollow", points: drawn(hullOf(finite(field))) }),
    svg("polygon", { class: "hull", points: drawn(hullOf(finite(limits))) }),
    finite(hollow).map(([x, y]) => shape("circle", px(x), py(y), 6, { class: "hollow" })),
    finite(limits).map(([x, y]) => shape("circle", px(x), py(y), 4.5, { class: "limit" })),
    gradient && gradient.every(Number.isFinite) ? shape("circle", px(gradient[0]), py(gradient[1]), 7, { class: "open" }) : null,
    ad.every(Number.isFinite) ? svg("g", { class: `v-${now.verdict}` }, shape("cross", px(ad[0]), py(ad[1]), 7, { class: "mark" })) : null);
}

function onLine(point, axis) {
  const limits = (point.asField ? point.field : point.bouligand).vertices.map((rows) => at(rows, axis)).filter(Number.isFinite);
  const hollow = unrealised(point).map((rows) => at(rows, axis)).filter(Number.isFinite);
  const now = adNow(point), ad = at(now.rows, axis), gradient = at(point.gradient, axis);
  const [x0, x1] = around([0, ad, gradient, ...limits, ...hollow]);
  const px = (x) => 20 + ((x - x0) / (x1 - x0)) * (SPACE - 40), y = 50;
  return svg("svg", { class: "drawing", viewBox: `0 0 ${SPACE} 96`, role: "img", "aria-label": `derivatives at ${whereText(point)}` },
    svg("line", { class: "axis", x1: 0, x2: SPACE, y1: y, y2: y }),
    steps(x0, x1, 6).map((x) => [svg("line", { class: "axis", x1: px(x), x2: px(x), y1: y - 5, y2: y + 5 }), svg("text", { x: px(x), y: 86, "text-anchor": "middle" }, decimal(x))]).flat(),
    svg("text", { class: "name", x: 8, y: 16 }, axis.name),
    limits.length ? svg("line", { class: "interval", x1: px(Math.min(...limits)), x2: px(Math.max(...limits)), y1: y, y2: y }) : null,
    hollow.map((x) => shape("circle", px(x), y, 6, { class: "hollow" })),
    limits.map((x) => shape("circle", px(x), y, 4.5, { class: "limit" })),
    Number.isFinite(gradient) ? shape("circle", px(gradient), y, 8, { class: "open" }) : null,
    Number.isFinite(ad) ? svg("g", { class: `v-${now.verdict}` }, shape("cross", px(ad), y, 7, { class: "mark" })) : null);
}

function around(values) {
  const known = values.filter(Number.isFinite);
  const low = Math.min(0, ...known), high = Math.max(0, ...known), pad = (high - low) * 0.15 || 1;
  return [low - pad, high + pad];
}

// The convex hull of points in the plane, for drawing (Andrew's monotone chain).
function hullOf(points) {
  const sorted = [...points].sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  const half = (ordered) => {
    const kept = [];
    for (const one of ordered) {
      while (kept.length > 1 && turn(kept[kept.length - 2], kept[kept.length - 1], one) <= 0) kept.pop();
      kept.push(one);
    }
    return kept.slice(0, -1);
  };
  return sorted.length < 3 ? sorted : [...half(sorted), ...half(sorted.reverse())];
}
const turn = (a, b, c) => (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]);

function spaceWords(point) {
  const hollow = unrealised(point), now = adNow(point);
  const words = [el("dt", {}, term("AD")), el("dd", {}, el("span", { class: "number" }, vectors(now.rows)), " ", badge(now.verdict))];
  if (point.fieldSum) words.push(el("dt", {}, term("D")), el("dd", {}, `a sum of ${plural(point.fieldSum, "segment")}, whose corners are not listed`));
  if (hollow.length) words.push(el("dt", {}, term("infeasible")), el("dd", { class: "number" }, hollow.slice(0, 8).map(vectors).join(", ") + (hollow.length > 8 ? `, … ${hollow.length} in all` : "")));
  if (!point.bouligand.complete) words.push(el("dt", {}, "not known"), el("dd", {}, point.reason || "the limiting gradients are not all known"));
  if (point.minNorm) words.push(el("dt", {}, "shortest"), el("dd", { class: "number" }, vectors(point.minNorm)));
  return el("dl", {}, words);
}

function spaceLegend() {
  const small = (mark) => svg("svg", { width: 18, height: 18, viewBox: "0 0 18 18", "aria-hidden": "true" }, mark);
  return el("p", { class: "legend" }, el("span", {}, small(shape("circle", 9, 9, 4.5, { class: "limit" })), term("limiting gradient")),
    el("span", {}, small(shape("circle", 9, 9, 6, { class: "hollow" })), term("infeasible", "in D, no limit")),
    el("span", {}, small(shape("circle", 9, 9, 6, { class: "open" })), "gradient"),
    el("span", { class: "v-spurious" }, small(shape("cross", 9, 9, 6, { class: "mark" })), "what AD returns"));
}
