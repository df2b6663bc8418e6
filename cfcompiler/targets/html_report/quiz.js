// Predict before you look: what does AD return, what is true? The rest of the page is hidden meanwhile.

const MOST_QUESTIONS = 12;

function drawQuiz() {
  const questions = allQuestions();
  if (!questions.length) return;
  const box = el("div", { id: "asked", onkeydown: (event) => {
    const button = /^[1-9]$/.test(event.key) && box.querySelectorAll(".answers button")[Number(event.key) - 1];
    if (button && !button.disabled) button.click();
  } });
  let place = -1, score = 0;
  const leave = () => {
    document.body.classList.remove("quizzing");
    place = -1;
    offer();
  };
  const offer = () => clear(box, el("p", {}, `${plural(questions.length, "question")}. The answers on this page are hidden meanwhile.`),
    el("button", { type: "button", id: "quiz-start", onclick: () => { place = 0; score = 0; document.body.classList.add("quizzing"); ask(); } }, "start"));
  const ask = () => {
    const one = questions[place];
    const outcome = el("div", { "aria-live": "polite" });
    const answers = el("div", { class: "answers" }, one.choices.map((text, k) => el("button", { type: "button", "data-right": String(k === one.right), onclick: (event) => {
      [...answers.children].forEach((button) => { button.disabled = true; });
      answers.children[one.right].classList.add("right");
      event.currentTarget.classList.add("chosen");
      if (k === one.right) score += 1;
      clear(outcome, el("p", {}, k === one.right ? "✓ Right. " : "✗ Not so. ", one.why),
        el("button", { type: "button", id: "quiz-next", onclick: () => { place += 1; if (place < questions.length) ask(); else done(); } }, place + 1 < questions.length ? "next" : "the result"));
      document.getElementById("quiz-next").focus();
    } }, `${k + 1}. ${text}`)));
    clear(box, el("p", { class: "quiet", id: "score" }, `question ${place + 1} of ${questions.length}, ${score} right so far`),
      el("p", { class: "question" }, one.text), one.tied.map((tie) => el("pre", {}, tie)), answers, outcome,
      el("p", {}, el("button", { type: "button", id: "quiz-leave", onclick: leave }, "leave the quiz")));
    answers.firstElementChild.focus({ preventScroll: true });
    document.getElementById("quiz").scrollIntoView({ block: "nearest" });
  };
  const done = () => {
    document.body.classList.remove("quizzing");
    clear(box, el("p", { class: "question", id: "score" }, `${score} of ${questions.length} right.`), el("button", { type: "button", id: "quiz-again", onclick: leave }, "again"));
  };
  section("quiz", "Predict", "First say what {AD} returns, and what is true; then see.", box);
  offer();
}

function allQuestions() {
  const found = [];
  for (const point of data.points.filter((one) => one.ties.length)) {
    const tied = point.ties.slice(0, 3).map((tie) => caret({ line: tie.line, column: tie.column, end_line: tie.line, end_column: tie.column + 1 }));
    const vectors_ = [point.backward, point.gradient, ...point.field.vertices.slice(0, 4), ...point.presets.map((row) => row.backward)].filter(Boolean).map(vectors);
    const where = whereText(point);
    const ad = question(`What does AD return at ${where}, under ${data.ties}?`, vectors(point.backward), vectors_, tied, `AD returns ${vectors(point.backward)}.`, found.length);
    const none = "it has none";
    const truth = point.gradient ? vectors(point.gradient) : none;
    const told = point.gradient || hasNone(point);
    const said = point.gradient ? `The gradient is ${truth}.` : `There is no gradient; the limiting gradients are ${point.bouligand.vertices.slice(0, 6).map(vectors).join(", ")}.`;
    const real = told && question(`What is the gradient of f at ${where}?`, truth, [none, ...vectors_], tied, `${said} AD is ${point.verdict} here.`, found.length + 1);
    found.push(...[ad, real].filter(Boolean));
    if (found.length >= MOST_QUESTIONS) break;
  }
  return found.slice(0, MOST_QUESTIONS);
}

// Up to five answers, the right one among them, in an order that does not tell it; null where there is just one.
function question(text, right, others, tied, why, turn_) {
  const choices = [...new Set([right, ...others])].slice(0, 5);
  if (choices.length < 2) return null;
  choices.sort();
  for (let k = 0; k < (turn_ * 7) % choices.length; k += 1) choices.push(choices.shift());
  return { text, choices, right: choices.indexOf(right), tied, why };
}
