// One point: what AD returns there, what is true, which operations are tied, what each framework returns.

function drawPoint() {
  if (!data.points.length) return;
  const body = el("div", { id: "judgement", "aria-live": "polite" });
  const select = el("select", { id: "points", "aria-label": "the point", onchange: () => choosePoint(pointOf(select.value)) },
    data.points.map((point) => el("option", { value: point.id }, pointLabel(point))));
  section("point", "One point", null,
    el("div", { class: "bar noprint" }, el("label", { for: "points" }, "The point"), select,
      data.pointsLeftOut ? el("span", { class: "quiet" }, `${data.pointsLeftOut} more are not on this page`) : null), body);
  const show = () => {
    select.value = state.point.id;
    clear(body, el("div", { class: "beside even" }, pointFacts(state.point), el("div", {}, tiedHere(state.point))), frameworks(state.point));
  };
  when("point", show);
}

function pointLabel(point) {
  const where = whereText(point);
  const mark = data.marks[point.verdict];
  return `${mark ? mark.symbol : ""} ${where.length > 70 ? `${where.slice(0, 70)}…` : where} (${point.verdict}${point.stratum ? `, ${point.stratum}` : ""})`;
}

function pointFacts(point) {
  const rows = [
    ["at", el("span", { class: "number" }, whereText(point) + (point.pointCut ? ", …" : ""))],
    ["verdict", badge(point.verdict), point.reason ? ` ${point.reason}` : "", point.artificial ? artificial() : null],
    ["value of f", number(point.value.map(shown).join(", "))],
    [term("AD"), number(vectors(point.backward)), String(point.forward) === String(point.backward) ? null : ` forward mode: ${vectors(point.forward)}`],
    [term("gradient"), point.gradient ? number(vectors(point.gradient)) : hasNone(point) ? "f has none here" : "not known"],
    [term("Clarke"), hullText(point.clarke, point.asField)],
    [term("D"), setText(point.field), point.fieldReason ? ` ${point.fieldReason}` : null],
  ];
  if (point.nan) rows.push(["NaN, inf", el("span", { class: "alarm" }, origin(point.nan))]);
  point.notes.forEach((text) => rows.push(["note", text]));
  return el("dl", {}, rows.map(([name, ...texts]) => [el("dt", {}, name), el("dd", {}, texts)]));
}

// Whether it is proved that f has no gradient.
const hasNone = (point) => !point.gradient && Boolean(point.right) && point.right.gradient === null;
const number = (text) => el("span", { class: "number" }, text);

function artificial(inTable = false) {
  const word = "artificial critical";
  return [" ", el("span", { class: "badge v-artificial-critical" }, `${data.marks[word].symbol} `, inTable ? word : term(word))];
}

function setText(set) {
  if (!set.count) return set.complete ? "empty" : "not known";
  const texts = set.vertices.slice(0, 12).map(vectors);
  return number(`{${texts.join(", ")}${set.count > texts.length ? `, … ${set.count} in all` : ""}}${set.complete ? "" : " and perhaps more"}`);
}

function hullText(set, asField) {
  if (asField) return "the hull of D";
  if (set.count === 1 && set.complete) return number(vectors(set.vertices[0]));
  return set.count ? ["the hull of ", setText(set)] : "not known";
}

// Where NaN or infinity is born: "0 · ∞ in sqrt, line 21".
function origin(nan) {
  const at = nan.origin, factors = at.factors.map(shown);
  const how = factors.length === 2 ? `${factors[0]} ${at.how === "*" ? "·" : at.how} ${factors[1]}` : `${at.how}(${factors.join(", ")})`;
  const where = nan.mode === "value" ? "in the value" : `in ${nan.mode} AD`;
  return `${how} makes ${shown(nan.result)} ${where}: ${at.op}, line ${at.line}`
    + (nan.selected ? "" : `, in an arm that the ${nan.arm || "choice"} did not select`);
}

function tiedHere(point) {
  if (!point.ties.length) return el("p", { class: "quiet" }, "Nothing is tied here.");
  return [el("h3", {}, "Tied here"), point.choices.map((choice) => el("div", { class: "finding" },
    el("pre", {}, caret({ line: choice.line, column: choice.column, end_line: choice.line, end_column: choice.column + 1 })),
    el("p", {}, el("code", {}, choice.op), ` at ${choice.guards.map(shown).join(", ")} = 0`,
      choice.taken ? `: taken as ${choice.taken}` : "",
      choice.returned.length ? `; ${choice.returned.map(([words, rows]) => `as ${words} AD would be ${vectors(rows)}`).join(", ")}` : "")))];
}

function frameworks(point) {
  if (!point.presets.length) return point.noPresets ? el("p", { class: "quiet" }, `The frameworks are not compared here: ${point.noPresets}.`) : null;
  return el("details", { id: "frameworks", open: point.ties.length > 0 },
    el("summary", {}, el("strong", {}, "What each framework returns here")),
    el("div", { class: "scroll" }, el("table", {},
      el("thead", {}, el("tr", {}, ["rules", "version", "AD returns", "verdict"].map((text) => el("th", { scope: "col" }, text)))),
      el("tbody", {}, point.presets.map((row) => el("tr", {},
        el("td", {}, row.name), el("td", {}, row.version), el("td", { class: "vector" }, row.backward ? vectors(row.backward) : "no answer"),
        el("td", {}, row.verdict ? badge(row.verdict, true) : row.reason)))))));
}
