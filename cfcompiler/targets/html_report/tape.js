// The tape at the chosen point: each step of the backward program with its value, from the inputs to the derivatives.

function drawTape() {
  if (!data.points.some((point) => point.tape.steps.length)) return;
  const body = el("tbody"), born = el("p", { class: "alarm" }), inputs = el("p", { class: "number quiet" }), count = el("span", { class: "quiet", "aria-live": "polite" });
  let upto = Infinity;
  const rows = () => [...body.querySelectorAll("tr[data-step]")];
  const show = (to) => {
    const all = rows();
    upto = Math.max(0, Math.min(all.length, to));
    all.forEach((row, k) => {
      row.classList.toggle("later", k >= upto);
      row.classList.toggle("now", k === upto - 1 && upto < all.length);
    });
    count.textContent = `step ${upto} of ${all.length}`;
    const row = all[upto - 1];
    if (row && upto < all.length) box.scrollTop = Math.max(0, row.offsetTop - box.clientHeight / 2);
  };
  const box = el("div", { class: "tapebox tape", tabindex: "0", role: "region", "aria-label": "steps; the arrow keys step", onkeydown: (event) => {
    const to = { ArrowRight: upto + 1, ArrowDown: upto + 1, ArrowLeft: upto - 1, ArrowUp: upto - 1, Home: 0, End: Infinity }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    show(to);
  } }, el("table", {}, el("thead", {}, el("tr", {}, ["line", "step", "value", "phase"].map((text) => el("th", { scope: "col" }, text)))), body));
  const button = (text, id, to) => el("button", { type: "button", id, onclick: () => show(to()) }, text);
  section("tape", "Step by step",
    "The backward program at this point, in exact numbers: first the values, then the {cotangent} from the output back. A bar marks a {tie}; red is where NaN or infinity is born.",
    inputs, born, el("div", { class: "bar noprint" }, button("from the start", "tape-first", () => 0), button("back", "tape-back", () => upto - 1),
      button("step", "tape-step", () => upto + 1), button("all", "tape-all", () => Infinity), count), box);
  when("point", () => {
    const tape = state.point.tape;
    born.textContent = state.point.nan ? origin(state.point.nan) : "";
    inputs.textContent = `from ${tape.inputs.map(([name, value]) => `${name} = ${shown(value)}`).join(", ")}`;
    clear(body, tape.steps.map(tapeRow),
      tape.leftOut ? el("tr", {}, el("td", { colspan: "4" }, `… ${tape.leftOut} more steps`)) : null,
      tape.reason ? el("tr", {}, el("td", { colspan: "4" }, `There is no tape: ${tape.reason}`)) : null);
    show(Infinity);
  });
}

const PHASES = { value: "value", slope: "slope", backward: "backward" };

function tapeRow(step, k) {
  const line = data.code.backward.lines[step.index + data.firstInstruction];
  const born = step.alarm && step.alarm !== "passes on";
  return el("tr", { "data-step": k, class: [step.tied ? "tied" : "", born ? "born" : ""].join(" ").trim() || null },
    el("td", { class: "quiet" }, step.line ? String(step.line) : ""),
    el("td", { class: "code" }, line ? line[0].trim() : step.name),
    el("td", { class: "number" }, step.alarm ? el("span", { class: "alarm" }, born ? `${step.alarm.replace(/\*/g, "·").replace(/inf/g, "∞")} = ` : "", shown(step.value)) : shown(step.value), step.cut ? " …" : ""),
    el("td", { class: "quiet" }, PHASES[step.phase], step.tied ? ", tied" : ""));
}
