// Elements, shapes and the few things that all sections share. Every text of the program goes in as text, never as HTML.

const data = JSON.parse(document.getElementById("data").textContent);
const SVG = "http://www.w3.org/2000/svg";

// Children in one row, without those that are nothing.
const known = (children) => children.flat(Infinity).filter((child) => ![null, undefined, false, ""].includes(child));

function filled(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...known(children));
  return node;
}

const el = (name, attributes, ...children) => filled(document.createElement(name), attributes, children);
const svg = (name, attributes, ...children) => filled(document.createElementNS(SVG, name), attributes, children);
const clear = (node, ...children) => {
  node.replaceChildren(...known(children));
  return node;
};
const plural = (count, noun, many = `${noun}s`) => `${count} ${count === 1 ? noun : many}`;

// The shape of a verdict around (x, y): filled where it says what AD does, hollow where it says what is true.
function shape(kind, x, y, r, attributes = {}) {
  const at = (points) => svg("polygon", { points: points.map(([a, b]) => `${x + r * a},${y + r * b}`).join(" "), ...attributes });
  switch (kind) {
    case "circle": return svg("circle", { cx: x, cy: y, r, ...attributes });
    case "diamond": return at([[0, -1.2], [1.2, 0], [0, 1.2], [-1.2, 0]]);
    case "triangle": return at([[0, -1.2], [1.1, 0.8], [-1.1, 0.8]]);
    case "square": return at([[-0.9, -0.9], [0.9, -0.9], [0.9, 0.9], [-0.9, 0.9]]);
    case "star": return at(Array.from({ length: 10 }, (_, k) => {
      const far = k % 2 ? 0.6 : 1.4, angle = (Math.PI * k) / 5 - Math.PI / 2;
      return [far * Math.cos(angle), far * Math.sin(angle)];
    }));
    case "cross": return svg("path", {
      d: `M${x - r} ${y - r}L${x + r} ${y + r}M${x - r} ${y + r}L${x + r} ${y - r}`, ...attributes, class: `${attributes.class || ""} stroked`,
    });
    case "bar": return svg("path", {
      d: `M${x - r / 2} ${y - r}V${y + r}M${x + r / 2} ${y - r}V${y + r}`, ...attributes, class: `${attributes.class || ""} stroked`,
    });
    default: return svg("text", { x, y: y + r * 0.8, "text-anchor": "middle", "font-size": r * 2.6, ...attributes }, "?");
  }
}

// A verdict in a line of text: its shape and its word; `inTable`: without the explanation, of which one is enough.
function badge(verdict, inTable = false) {
  const mark = data.marks[verdict] || data.marks.unknown;
  return el("span", { class: `badge v-${verdict}` },
    svg("svg", { viewBox: "0 0 16 16", width: 13, height: 13, "aria-hidden": "true" }, shape(mark.shape, 8, 8, 5, { class: "mark" })),
    inTable ? el("span", {}, verdict) : term(verdict));
}

// A word with its explanation: shown on hover and on focus, and told to a screen reader.
function term(word, text = word) {
  const meaning = data.glossary[word];
  if (!meaning) return el("span", {}, text);
  const show = (event) => showTip(event.currentTarget, meaning);
  return el("span", {
    class: "term", tabindex: "0", "aria-description": meaning, onmouseenter: show, onfocus: show, onmouseleave: hideTip, onblur: hideTip,
  }, text);
}

function showTip(word, meaning) {
  const tip = document.getElementById("tip"), place = word.getBoundingClientRect();
  tip.textContent = meaning;
  tip.hidden = false;
  const left = Math.max(8, Math.min(place.left, document.documentElement.clientWidth - tip.offsetWidth - 8));
  const below = place.bottom + 6, above = place.top - tip.offsetHeight - 6;
  tip.style.left = `${left}px`;
  tip.style.top = `${below + tip.offsetHeight > innerHeight && above > 0 ? above : below}px`;
}

function hideTip() {
  document.getElementById("tip").hidden = true;
}

// Text with {word} or {word|as written} for words of the glossary.
function prose(text) {
  return text.split(/(\{[^}]+\})/).map((part) => {
    if (!part.startsWith("{")) return part;
    const [word, written] = part.slice(1, -1).split("|");
    return term(word, written || word);
  });
}

function vector(row) {
  if (!row) return "none";
  const texts = row.map(shown);
  return texts.length === 1 ? texts[0] : `(${texts.join(", ")})`;
}
const vectors = (rows) => (rows ? (rows.length === 1 ? vector(rows[0]) : `[${rows.map(vector).join("; ")}]`) : "none");

function section(id, title, note, ...children) {
  const node = document.getElementById(id);
  node.hidden = false;
  clear(node, el("h2", {}, title), note ? el("p", { class: "note" }, prose(note)) : null, ...children);
  return node;
}

// A row of buttons of which one is pressed.
function choice(label, options, chosen, act) {
  const buttons = options.map(([value, text]) => el("button", {
    type: "button", "aria-pressed": String(value === chosen),
    onclick: (event) => {
      buttons.forEach((button) => button.setAttribute("aria-pressed", String(button === event.currentTarget)));
      act(value);
    },
  }, text));
  return el("div", { class: "choice", role: "group", "aria-label": label }, buttons);
}

// what is chosen: a point, and the numbers of the rules; sections listen

const state = { point: null, values: {}, preset: null, zoom: 0, printing: false };
const listeners = { point: [], rules: [], place: [] };
const when = (event, act) => listeners[event].push(act);
const tell = (event, ...words) => listeners[event].forEach((act) => act(...words));

function choosePoint(point) {
  if (!point || state.point === point) return;
  state.point = point;
  tell("point");
}

const pointOf = (id) => data.points.find((point) => point.id === id) || null;
const whereText = (point) => point.point.map(([name, value]) => `${name} ${equal(shown(value))}`).join(", ");

// The numbers of the rules for which the point itself was asked: those of the page, or what the sliders say.
function rulesOf(point) {
  const own = {};
  for (const one of (point.right && point.right.parameters) || []) {
    own[one.name] = state.values[one.name] || (one.here === null ? null : exactText(one.here));
  }
  return Object.values(own).includes(null) ? null : own;
}
