// The program beside its derivative code. A line under the pointer or in focus shows what it became, or where it is from.

const STAGES = { backward: "backward", forward: "forward", module: "the module" };
let stage = "backward";

function drawCode() {
  const source = el("div", { class: "listing", id: "source", role: "group", "aria-label": "program", onkeydown: walk }, data.source.map(sourceRow));
  const code = el("div", { class: "listing", id: "derivative", role: "group", "aria-label": "derivative code", onkeydown: walk });
  const show = (name) => {
    stage = name;
    const { lines, leftOut } = data.code[name];
    clear(code, lines.map(codeRow), leftOut ? el("div", { class: "row" }, `… ${leftOut} more lines`) : null);
    reachable(code);
    markTied();
  };
  reachable(source);
  section("code", "The program and its derivative code",
    "Point at a line (or reach it with Tab and the arrow keys) to see what it became; point at a step to see where it is from. A bar at the edge marks a {tie} at the chosen point.",
    choice("derivative code", Object.keys(STAGES).filter((name) => data.code[name].lines.length).map((name) => [name, STAGES[name]]), stage, show),
    el("div", { class: "columns" }, source, code));
  show(stage);
  when("point", markTied);
}

function sourceRow(text, place) {
  const line = place + 1;
  const linked = data.code.backward.lines.some((row) => row[1] <= line && line <= row[3]);
  return el("div", {
    class: "row", "data-line": line, ...(linked ? { tabindex: "-1", ...linking(() => link([line, 0, line, 0], "source")) } : {}),
  }, el("span", { class: "at" }, String(line)), el("span", { class: "text" }, text || " "));
}

function codeRow([text, ...span], place) {
  return el("div", {
    class: "row", "data-place": place, ...(span[0] ? { tabindex: "-1", ...linking(() => link(span, "code")) } : {}),
  }, el("span", { class: "at" }, span[0] ? String(span[0]) : ""), el("span", { class: "text" }, text || " "));
}

// Tab reaches a listing once; the arrow keys walk over its lines.
function reachable(listing) {
  const first = listing.querySelector(".row[tabindex]");
  if (first) first.setAttribute("tabindex", "0");
}

function walk(event) {
  const way = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!way) return;
  event.preventDefault();
  const rows = [...event.currentTarget.querySelectorAll(".row[tabindex]")];
  const next_ = rows[rows.indexOf(document.activeElement) + way];
  if (next_) next_.focus();
}

const linking = (act) => ({ onmouseenter: act, onfocus: act, onmouseleave: unlink, onblur: unlink });

function link(span, from) {
  unlink();
  const rows = data.code[stage].lines;
  for (const row of document.querySelectorAll("#derivative .row[data-place]")) {
    const own = rows[Number(row.dataset.place)].slice(1);
    const same = from === "source" ? own[0] && own[0] <= span[0] && span[0] <= own[2] : String(own) === String(span);
    row.classList.toggle("linked", Boolean(same));
  }
  for (const row of document.querySelectorAll("#source .row")) {
    const line = Number(row.dataset.line);
    const within = span[0] <= line && line <= span[2];
    row.classList.toggle("linked", within);
    if (within && from === "code" && span[1]) underline(row, line, span);
  }
}

// The columns of a step, marked in its line.
function underline(row, line, [first, column, last, end]) {
  const text = data.source[line - 1];
  const from = line === first ? column - 1 : 0, to = line === last ? end - 1 : text.length;
  clear(row.querySelector(".text"), text.slice(0, from), el("mark", {}, text.slice(from, to)), text.slice(to));
}

function unlink() {
  document.querySelectorAll("#code .linked").forEach((row) => row.classList.remove("linked"));
  document.querySelectorAll("#source mark").forEach((mark) => {
    const text = mark.parentElement;
    clear(text, text.textContent);
  });
}

function markTied() {
  const ties = new Set(state.point ? state.point.ties.map((tie) => tie.line) : []);
  const steps = new Set(state.point && stage === "backward"
    ? state.point.tape.steps.filter((step) => step.tied).map((step) => step.index + data.firstInstruction) : []);
  document.querySelectorAll("#source .row").forEach((row) => row.classList.toggle("tied", ties.has(Number(row.dataset.line))));
  document.querySelectorAll("#derivative .row").forEach((row) => row.classList.toggle("tied", steps.has(Number(row.dataset.place))));
}
