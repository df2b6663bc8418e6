// The head: what is wrong, in words; then the findings with their codes; at the end what was not decided.

function drawHeader() {
  document.title = `${data.program}: what AD returns`;
  const theme = el("button", { type: "button", class: "noprint", id: "theme", onclick: nextTheme }, "light or dark");
  const [first, ...more] = data.headline;
  clear(document.getElementById("header"),
    el("div", { class: "top" }, el("h1", {}, "What AD returns for ", el("code", {}, data.program), `, ties ${data.ties}`), theme),
    first ? sentence(first, "headline") : el("p", { class: "headline" }, "Nothing is known of this program."),
    more.map((one) => sentence(one, "headline more")), firstLine(),
    el("p", { class: "facts" }, facts()));
}

function sentence(one, kind) {
  const mark = data.marks[one.kind];
  return el("p", { class: kind },
    mark ? svg("svg", { viewBox: "0 0 16 16", width: 18, height: 18, class: `v-${one.kind.replace(" ", "-")}`, role: "img", "aria-label": one.kind },
      shape(mark.shape, 8, 8, 5.5, { class: "mark" })) : null,
    one.text.replace(/(^|[\s(=,[])-(?=\d)/g, "$1−"));
}

// The line of the first finding, for whoever has no time.
function firstLine() {
  const found = data.findings.find((one) => one.level !== "note" && one.operations.length && one.operations[0].line);
  return found ? el("pre", { class: "first" }, caret(found.operations[0])) : null;
}

function facts() {
  const { verdicts, dimensions, box, guards } = data.strata;
  const total = Object.values(dimensions).reduce((a, b) => a + b, 0);
  const words = Object.entries(verdicts).map(([verdict, count]) => `${count} ${verdict}`).join(", ");
  const rules = data.preset ? `${data.ties} (${data.preset.framework} ${data.preset.version})` : data.ties;
  const where = box ? `, in the box ${Object.entries(box).map(([name, [low, high]]) => `${low} < ${name} < ${high}`).join(", ")}` : "";
  const fixed = data.inputs.filter((one) => one.fixed !== null).map((one) => `${one.name} = ${shown(one.fixed)}`).join(", ");
  const seen = total ? `${plural(total, "stratum", "strata")} (${words}), ${plural(guards.length, "switch", "switches")}` : "no stratum is known";
  return `${seen}${where}. Tie rules: ${rules}.${fixed ? ` Fixed: ${fixed}.` : ""}`;
}

function nextTheme() {
  const root = document.documentElement;
  const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = dark ? "light" : "dark";
  tell("place");
}

function drawFindings() {
  if (!data.findings.length && !data.proved.length) return;
  section("findings", "Which line is wrong", "What cfc check says of the program, each with its code.",
    data.findings.map(finding),
    data.proved.map((text) => el("p", {}, `Proved: ${text}.`)));
}

function finding(one) {
  const at = one.operations[0];
  return el("div", { class: "finding" },
    el("p", {}, el("strong", {}, one.code), ` ${one.level}: ${one.message}`),
    at && at.line ? el("pre", {}, caret(at)) : null,
    one.help ? el("p", { class: "quiet" }, `What to do: ${one.help}`) : null,
    one.text ? el("details", {}, el("summary", { class: "quiet" }, `${one.code}: ${one.title}`), el("p", { class: "note" }, one.text)) : null);
}

function caret(at) {
  const line = data.source[at.line - 1] || "";
  const width = at.end_line === at.line ? Math.max(1, at.end_column - at.column) : Math.max(1, line.length - at.column + 1);
  const lead = `${at.line} | `;
  const pad = [...line].slice(0, at.column - 1).map((letter) => (letter === "\t" ? "\t" : " ")).join("");
  return `${lead}${line}\n${" ".repeat(lead.length)}${pad}${"^".repeat(width)}`;
}

function drawUndecided() {
  const texts = [...data.unknown, ...data.notes];
  if (data.strata.leftOut) texts.push(`${data.strata.leftOut} strata are counted, and not listed here`);
  section("undecided", "What is not decided here", null,
    texts.length ? el("ul", {}, texts.map((text) => el("li", {}, text))) : el("p", {}, "Nothing: every stratum has its verdict."));
}

function drawFooter() {
  clear(document.getElementById("footer"),
    el("p", {}, "This page again: ", el("code", {}, data.command)),
    el("p", {}, `cfc ${data.version}; tie rules ${data.ties}${data.preset ? `, as measured on ${data.preset.framework} ${data.preset.version}` : ""}; `
      + `program ${data.path}, SHA-256 ${data.digest}.`),
    el("p", {}, "Every verdict and every number in a judgement comes from exact arithmetic; floats only draw."));
}
