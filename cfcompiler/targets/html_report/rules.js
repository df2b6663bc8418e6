// The tie rules: a slider for each number, a button for each framework. What AD returns at each point follows, exactly.

const PARTS = 24n; // steps of a slider

function drawRules() {
  const parameters = allParameters();
  const presets = [...new Set(data.points.flatMap((point) => point.presets.map((row) => row.name)))];
  if (!parameters.length && !presets.length) return;
  const body = el("tbody"), summary = el("p", { "aria-live": "polite", id: "summary" }), sliders = parameters.map(slider);
  const show = () => {
    sliders.forEach((one) => one.show());
    const rows = data.points.map((point) => ({ point, now: nowAt(point) }));
    const right = rows.filter(({ now }) => ["exact", "clarke"].includes(now.verdict)).length;
    summary.textContent = `${rulesNow()}: AD is right at ${right} of ${plural(rows.length, "point")} of this page.`;
    clear(body, rows.map(({ point, now }) => el("tr", { "data-point": point.id },
      el("td", { class: "number where" }, whereText(point)), el("td", { class: "vector" }, now.ad ? vectors(now.ad) : "none"),
      el("td", { class: "vector" }, point.gradient ? vectors(point.gradient) : hullText(point.clarke, point.asField)), el("td", {}, badge(now.verdict, true), now.why ? ` ${now.why}` : ""))));
  };
  const buttons = choice("rules", [["", `as on this page (${data.ties})`], ...presets.map((name) => [name, name])], "", (name) => {
    state.preset = name || null;
    state.values = {};
    tell("rules");
  });
  section("rules", "What if the tie rules were others?",
    "Move a rule, or choose a framework, and see what {AD} returns at the points of this page. With a slider the verdicts are recomputed here in exact fractions. The dots of the picture move too; lines of a map keep their verdicts under the rules of this page.",
    buttons, el("div", {}, sliders.map((one) => one.node)), summary, everywhereText(),
    el("div", { class: "scroll" }, el("table", {}, el("thead", {}, el("tr", {}, ["point", "AD", "true", "verdict"].map((text) => el("th", { scope: "col" }, text)))), body)));
  when("rules", () => {
    if (!state.preset && !Object.keys(state.values).length) press(buttons, 0);
    show();
  });
  show();
}

function press(group, which) {
  [...group.children].forEach((button, k) => button.setAttribute("aria-pressed", String(k === which)));
}

function allParameters() {
  const found = new Map();
  for (const point of data.points) for (const one of (point.right && point.right.parameters) || []) if (!found.has(one.name)) found.set(one.name, one);
  return [...found.values()];
}

function slider(one) {
  const low = exactText(one.low), high = exactText(one.high), width = minus(high, low);
  const valueOf = (k) => plus(low, times(width, rational(BigInt(k), PARTS)));
  const own = one.here === null ? low : exactText(one.here);
  const input = el("input", { type: "range", id: `rule-${one.name}`, min: "0", max: String(PARTS), step: "1",
    oninput: () => setRule(one.name, valueOf(input.value)) });
  const text = el("output", { for: `rule-${one.name}`, class: "number" });
  const node = el("div", { class: "bar" }, el("label", { for: `rule-${one.name}` }, el("code", {}, one.name)),
    el("span", { class: "quiet" }, shown(one.low)), input, el("span", { class: "quiet" }, shown(one.high)), text);
  const show = () => {
    const value = state.values[one.name] || own;
    input.value = String(Math.round((toFloat(minus(value, low)) / (toFloat(width) || 1)) * Number(PARTS)));
    const written = one.position ? `weight of entry ${one.position} of a tied ${one.rule}` : "";
    text.textContent = state.preset ? "" : `= ${shown(ratioText(value))} ${written}`;
  };
  return { node, show };
}

// One rule gets a number; the others keep theirs.
function setRule(name, value) {
  if (!Object.keys(state.values).length) {
    for (const one of allParameters()) state.values[one.name] = one.here === null ? exactText(one.low) : exactText(one.here);
  }
  state.preset = null;
  state.values[name] = value;
  press(document.querySelector("#rules .choice"), -1);
  tell("rules");
}

function nowAt(point) {
  if (state.preset) {
    const row = point.presets.find((one) => one.name === state.preset);
    return row ? { ad: row.backward, verdict: row.verdict || "unknown", why: row.verdict ? "" : row.reason } : { ad: null, verdict: "unknown", why: "not compared" };
  }
  if (!Object.keys(state.values).length) return { ad: point.backward, verdict: point.verdict, why: "" };
  const values = rulesOf(point);
  return values === null ? { ad: null, verdict: "unknown", why: "" } : underRules(point, values);
}

function rulesNow() {
  if (state.preset) return `Under ${state.preset}`;
  const values = Object.entries(state.values);
  return values.length ? `With ${values.map(([name, value]) => `${name} = ${shown(ratioText(value))}`).join(", ")}` : `Under ${data.ties}`;
}

function relationText(one) {
  if (one.kind === "Or") return one.parts.map(relationText).join(" or ");
  return `${shown(one.left)} ${one.kind === "Eq" ? "=" : "≤"} ${shown(one.right)}`;
}

function everywhereText() {
  const found = data.everywhere;
  const conditions = found.conditions.map(relationText).join(", ");
  const example = found.example && found.example.length ? `, for example ${found.example.map(([rule, value]) => `${rule} = ${shown(value)}`).join(", ")}` : "";
  const said = {
    none: "No numbers of these rules are right at all points of this page: the program itself has to change.",
    all: "Whatever the numbers of these rules, within their ranges, AD is right at all points of this page.",
    one: `Right at all points of this page exactly for ${conditions}.`,
    set: `Right at all points of this page exactly where ${conditions}${example}.`,
    unknown: `For which rules AD is right at all points of this page is not known: ${found.reason}.`,
  }[found.kind];
  return el("p", { id: "everywhere" }, el("strong", {}, said));
}
