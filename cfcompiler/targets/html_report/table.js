// All strata, filtered by verdict; a row leads to its point.

function drawTable() {
  const { list, leftOut, verdicts } = data.strata;
  if (!list.length) return;
  const body = el("tbody");
  const show = (verdict) => {
    const rows = list.filter((one) => !verdict || one.verdict === verdict);
    const total = verdict ? verdicts[verdict] : Object.values(verdicts).reduce((a, b) => a + b, 0);
    clear(body, rows.map(stratumRow), rows.length < total
      ? el("tr", {}, el("td", { colspan: "7", class: "quiet" }, `… and ${total - rows.length} more, which are in cfc strata --json`)) : null);
    markChosen();
  };
  const markChosen = () => body.querySelectorAll("tr").forEach((row) =>
    row.classList.toggle("chosen", Boolean(state.point && state.point.stratum && row.dataset.stratum === state.point.stratum)));
  const options = [["", `all ${Object.values(verdicts).reduce((a, b) => a + b, 0)}`],
    ...Object.entries(verdicts).map(([verdict, count]) => [verdict, `${count} ${verdict}`])];
  section("strata", "All strata", "A {stratum} is a set of inputs on which everything said here holds at every point.",
    choice("verdict", options, "", show),
    el("div", { class: "scroll" }, el("table", {},
      el("thead", {}, el("tr", {}, ["stratum", "dim", "where", "verdict", "AD", "gradient or Clarke", "at"].map((text) => el("th", { scope: "col" }, text)))), body)));
  show("");
  when("point", markChosen);
  return leftOut;
}

function stratumRow(one) {
  const point = data.points.find((candidate) => candidate.stratum === one.id);
  const alone = one.dimension === 0 && point ? point.gradient : null; // the truth of a point is often known where that of a set is not
  const truth = one.gradient || alone ? vectors(one.gradient || alone) : one.clarke ? `hull of ${one.clarke.slice(0, 4).map(vectors).join(", ")}${one.clarke.length > 4 ? ", …" : ""}` : "not known";
  return el("tr", { "data-stratum": one.id },
    el("td", {}, one.id), el("td", {}, String(one.dimension)), el("td", { class: "where number" }, whereStratum(one)),
    el("td", {}, badge(one.verdict, true), one.artificial ? artificial(true) : null), el("td", { class: "vector" }, one.ad ? vectors(one.ad) : "none"),
    el("td", { class: "vector" }, ["unknown", "undefined", "discontinuous"].includes(one.verdict) && one.reason && !alone ? one.reason : truth),
    el("td", {}, point ? el("button", { type: "button", class: "noprint", onclick: () => {
      choosePoint(point);
      document.getElementById("point").scrollIntoView({ block: "start" });
    } }, "look") : null));
}

function whereStratum(one) {
  const texts = [...one.equations.map((text) => `${text} = 0`), ...one.inequalities];
  const text = texts.map((part) => part.split(" | ").map((one_) => one_.replace(/^Ne\((.*), 0\)$/, "$1 ≠ 0")).join(" or ")).join(", ") || "everywhere";
  return text.length > 240 ? `${text.slice(0, 240)}…` : text.replace(/\*\*2\b/g, "²").replace(/\*\*3\b/g, "³");
}
