// A point that moves over a curve: its judgement, and the lines with AD's slope and with the true slope through it.

const PROBE_STEPS = 240;

// What holds at place `k` of PROBE_STEPS in the view; a dot within half a step is what is looked at.
function probedAt(curve, view, k) {
  const width = view.high - view.low, wanted = view.low + (width * k) / PROBE_STEPS;
  const dot = curve.dots.find((one) => Math.abs(one.x - wanted) <= width / PROBE_STEPS / 2);
  if (dot) return probedDot(curve, dot);
  const digits = Math.max(0, Math.min(18, Math.ceil(3 - Math.log10(width))));
  const exact = fromDecimal(wanted, digits), x = toFloat(exact);
  const names = { [curve.input]: exact }, arc = curve.arcs.find((one) => one.low <= x && x <= one.high);
  const stratum = stratumAt(curve.strata, names) || curve.strata.find((one) => arc && arc.low < x && x < arc.high && one.id === arc.stratum);
  const found = { x, value: arc ? valueAt(valuesOf(curve, arc, view), x) : null, where: ratioText(exact) };
  if (!stratum) {
    const ad = arc ? interpolated(arc, x, arc.ad) : null;
    return { ...found, ad, gradient: null, verdict: "unknown", words: `AD ${ad === null ? "no number" : `≈ ${decimal(ad)}`}; the stratum is not known here` };
  }
  const slope = (rows) => (rows && rows.length === 1 && rows[0].length === 1 ? floatText(rows[0][0], { [curve.input]: x }) : null);
  const told = (rows) => vectors(rowsAt(rows, names, { [curve.input]: x }));
  const truth = stratum.gradient ? `gradient ${told(stratum.gradient)}` : "no gradient";
  return { ...found, ad: slope(stratum.ad), gradient: slope(stratum.gradient), verdict: stratum.verdict, words: `AD ${stratum.ad ? told(stratum.ad) : "no number"}, ${truth}` };
}

function probedDot(curve, dot) {
  const now = dotNow(curve, dot), point = isWhole() ? pointOf(dot.point) : null;
  const texts = point ? adNow(point).rows : null;
  const truth = dot.gradient !== null ? `gradient ${point && point.gradient ? vectors(point.gradient) : decimal(dot.gradient)}`
    : dot.clarke ? `no gradient; Clarke from ${decimal(Math.min(...dot.clarke))} to ${decimal(Math.max(...dot.clarke))}` : "no gradient is known";
  const ad = now.ad === null ? "no number" : texts ? vectors(texts) : decimal(now.ad);
  const where = point ? point.point.find(([name]) => name === curve.input)[1] : decimal(dot.x);
  return { x: dot.x, value: dot.value, where, ad: now.ad, gradient: dot.gradient, verdict: now.verdict, words: `AD ${ad}, ${truth}` };
}

const valueAt = (points, x) => interpolated({ xs: points.map(([place]) => place) }, x, points.map(([, value]) => value));

// A value between two samples, for drawing.
function interpolated(arc, x, ys) {
  const k = arc.xs.findIndex((one) => one >= x);
  if (k <= 0) return ys[k === 0 ? 0 : ys.length - 1];
  const [a, b] = [arc.xs[k - 1], arc.xs[k]];
  return ys[k - 1] === null || ys[k] === null ? null : ys[k - 1] + ((x - a) / (b - a || 1)) * (ys[k] - ys[k - 1]);
}

// In the picture of f: the lines through the point, solid with AD's slope, broken with the true one; and the point.
function probeMarks(found, view, y) {
  if (found.value === null) return [[], null];
  const line = (slope, kind) => (slope === null || !Number.isFinite(slope) ? null : svg("line", {
    class: kind, x1: across(view, view.low), x2: across(view, view.high),
    y1: y(found.value + slope * (view.low - found.x)), y2: y(found.value + slope * (view.high - found.x)),
  }));
  return [[line(found.gradient, "true"), line(found.ad, `slope v-${found.verdict}`)],
    shape("circle", across(view, found.x), y(found.value), 4.5, { class: "here" })];
}

const probeWords = (found, curve) => [el("span", { class: "number" }, `${curve.input} ${equal(shown(found.where))}`), " ", badge(found.verdict), el("span", { class: "number" }, ` ${found.words}`)];
