// What the page decides by itself: in which stratum a point lies, and what the tie rules make of AD at a point.
// Decisions are made in rationals or not at all (null); floats only draw.

// The stratum with the rational point `names`; null where none is found or a sign is not decided.
function stratumAt(strata, names) {
  let open = false;
  for (const stratum of strata) {
    const answers = [
      ...stratum.equations.map((text) => holds(text, names, true)),
      ...stratum.inequalities.map((text) => holds(text, names, false)),
    ];
    if (answers.every((answer) => answer === true)) return stratum;
    open ||= !answers.includes(false);
  }
  return open ? null : undefined;
}

function holds(text, names, vanishing) {
  const value = exactText(text, names);
  if (!vanishing) return typeof value === "boolean" ? value : null;
  return value === null || typeof value === "boolean" ? null : value.n === 0n;
}

// Rows of formulas at a point: rationals as texts where the point is rational, else decimals.
function rowsAt(rows, exact, floats) {
  return rows && rows.map((row) => row.map((text) => {
    const value = exact && exactText(text, exact);
    if (value) return ratioText(value);
    const about = floatText(text, floats);
    return Number.isNaN(about) ? text : `≈ ${decimal(about)}`;
  }));
}

// Whether rule numbers satisfy one set of settings; null where that is not known.
function satisfied(settings, values) {
  if (settings === null) return false;
  if (settings.kind === "none") return false;
  if (settings.kind === "unknown") return null;
  const answers = settings.conditions.map((one) => relationHolds(one, values));
  if (answers.includes(false)) return false;
  return answers.includes(null) ? null : true;
}

function relationHolds(one, values) {
  if (one.kind === "Or") {
    const answers = one.parts.map((part) => relationHolds(part, values));
    return answers.includes(true) ? true : answers.includes(null) ? null : false;
  }
  const left = exactText(one.left, values), right = exactText(one.right, values);
  if (left === null || right === null) return null;
  const sign = order(left, right);
  return one.kind === "Eq" ? sign === 0 : sign <= 0;
}

// What AD returns at a point under the numbers `values` of the rules, and the word for it.
function underRules(point, values) {
  const right = point.right;
  if (!right || !right.ad) return { ad: null, verdict: "unknown", why: (right && right.reason) || "not known" };
  const ad = right.ad.map((row) => row.map((text) => exactText(text, values)));
  const texts = right.ad.map((row, i) => row.map((text, k) => {
    if (ad[i][k]) return ratioText(ad[i][k]);
    return text === point.backward[i][k] ? text : valueText(text, values); // no rule has a say in the former
  }));
  const isGradient = right.gradient ? sameVector(ad, point.gradient) ?? satisfied(right.gradient, values) : false;
  if (isGradient) return { ad: texts, verdict: "exact", why: "" };
  const inClarke = insideHull(ad, point.clarke) ?? satisfied(right.clarke, values);
  if (inClarke === null || isGradient === null) {
    return { ad: texts, verdict: "unknown", why: right.clarke.reason || "a condition was not decided" };
  }
  return { ad: texts, verdict: inClarke ? (right.gradient ? "inexact" : "clarke") : "spurious", why: "" };
}

// Whether two vectors are equal; null where a number is not rational.
function sameVector(ad, rows) {
  if (!rows) return null;
  const signs = ad.flatMap((row, i) => row.map((value, k) => {
    const other = exactText(rows[i][k]);
    return value === null || other === null ? null : order(value, other);
  }));
  return signs.includes(null) ? null : signs.every((sign) => sign === 0);
}

// Whether a vector is in a hull that is a point or an interval; null where it is another one, or not rational.
function insideHull(ad, { vertices, complete, count }) {
  if (!complete || count !== vertices.length || !count) return null;
  if (count === 1) return sameVector(ad, vertices[0]);
  if (ad.length !== 1 || ad[0].length !== 1 || ad[0][0] === null) return null;
  const ends = vertices.map((rows) => exactText(rows[0][0]));
  if (ends.includes(null)) return null;
  const signs = ends.map((end) => order(ad[0][0], end));
  return signs.some((sign) => sign >= 0) && signs.some((sign) => sign <= 0);
}

function valueText(text, values) {
  const floats = Object.fromEntries(Object.entries(values).map(([name, value]) => [name, toFloat(value)]));
  const about = floatText(text, floats);
  return Number.isNaN(about) ? text : `≈ ${decimal(about)}`;
}
