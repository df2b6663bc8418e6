// Exact numbers and formulas: "-1/3", "2*max - 1", "x[0]**2 - 1 > 0" are read, and evaluated in rationals or in floats.
// A value in rationals is {n, d} with BigInts, d > 0 and no common factor; null stands for "not a rational number".

function gcd(a, b) {
  while (b) [a, b] = [b, a % b];
  return a < 0n ? -a : a;
}

function rational(n, d = 1n) {
  if (d === 0n) return null;
  const common = gcd(n, d) || 1n;
  const sign = d < 0n ? -1n : 1n;
  return { n: (sign * n) / common, d: (sign * d) / common };
}

const plus = (a, b) => rational(a.n * b.d + b.n * a.d, a.d * b.d);
const minus = (a, b) => rational(a.n * b.d - b.n * a.d, a.d * b.d);
const times = (a, b) => rational(a.n * b.n, a.d * b.d);
const over = (a, b) => rational(a.n * b.d, a.d * b.n);
const order = (a, b) => {
  const left = a.n * b.d, right = b.n * a.d;
  return left < right ? -1 : left > right ? 1 : 0;
};
const toFloat = (a) => {
  const plain = Number(a.n) / Number(a.d);
  if (Number.isFinite(plain)) return plain;
  const shift = BigInt(Math.max(0, Math.max(a.n.toString(2).length, a.d.toString(2).length) - 1000));
  return Number(a.n >> shift) / Number(a.d >> shift);
};
const ratioText = (a) => (a.d === 1n ? `${a.n}` : `${a.n}/${a.d}`);

// A float of few digits as a rational: what a slider or a click gives.
function fromDecimal(value, digits) {
  return rational(BigInt(Math.round(value * 10 ** digits)), 10n ** BigInt(digits));
}

// reading

const TOKEN = /\s*(\*\*|<=|>=|==|!=|[-+*/()<>|&,]|\d+(?:\.\d+)?(?:[eE][-+]?\d+)?|[\p{L}_][\p{L}\p{N}_]*(?:\[[^\]]*\])?)/uy;
const MOST_TEXT = 20000;
const trees = new Map();

// The tree of a text; null where it is no formula. Trees are kept: texts are read once.
function formula(text) {
  if (!trees.has(text)) trees.set(text, read(text));
  return trees.get(text);
}

function read(text) {
  if (typeof text !== "string" || text.length > MOST_TEXT) return null;
  const tokens = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < text.trimEnd().length) {
    const found = TOKEN.exec(text);
    if (!found) return null;
    tokens.push(found[1]);
  }
  const reader = { tokens, place: 0, failed: false };
  const tree = alternatives(reader);
  return reader.failed || reader.place < tokens.length ? null : tree;
}

const next = (reader) => reader.tokens[reader.place];
const take = (reader, ...words) => words.includes(next(reader)) && reader.tokens[reader.place++];

function joined(reader, words, part) {
  let tree = part(reader);
  for (let word = take(reader, ...words); word; word = take(reader, ...words)) tree = [word, tree, part(reader)];
  return tree;
}

const alternatives = (reader) => joined(reader, ["|"], (r) => joined(r, ["&"], relation));
const sum = (reader) => joined(reader, ["+", "-"], (r) => joined(r, ["*", "/"], signed));

function relation(reader) {
  const left = sum(reader);
  const word = take(reader, "<", ">", "<=", ">=", "==", "!=");
  return word ? [word, left, sum(reader)] : left;
}

function signed(reader) {
  if (take(reader, "-")) return ["neg", signed(reader)];
  const base = atom(reader);
  return take(reader, "**") ? ["**", base, signed(reader)] : base;
}

function atom(reader) {
  const token = next(reader);
  reader.place += 1;
  if (token === undefined) return fail(reader);
  if (token === "(") {
    const inner = alternatives(reader);
    return take(reader, ")") ? inner : fail(reader);
  }
  if (/^\d/.test(token)) return numeral(token);
  if (!/^[\p{L}_]/u.test(token)) return fail(reader);
  if (!take(reader, "(")) return ["name", token];
  const values = [];
  while (!take(reader, ")")) {
    values.push(alternatives(reader));
    if (!take(reader, ",") && next(reader) !== ")") return fail(reader);
  }
  return ["call", token, ...values];
}

function fail(reader) {
  reader.failed = true;
  reader.place = reader.tokens.length;
  return ["name", ""];
}

function numeral(token) {
  const [mantissa, exponent = "0"] = token.toLowerCase().split("e");
  const [whole, part = ""] = mantissa.split(".");
  const power = Number(exponent) - part.length;
  if (Math.abs(power) > 400) return ["name", ""];
  const digits = BigInt(whole + part);
  return ["number", power >= 0 ? rational(digits * 10n ** BigInt(power)) : rational(digits, 10n ** BigInt(-power))];
}

// in rationals: a number, true, false, or null where it is none of these or is not decided

const COMPARED = {
  "<": (s) => s < 0, ">": (s) => s > 0, "<=": (s) => s <= 0, ">=": (s) => s >= 0, "==": (s) => s === 0,
  "!=": (s) => s !== 0, Lt: (s) => s < 0, Gt: (s) => s > 0, Le: (s) => s <= 0, Ge: (s) => s >= 0,
  Eq: (s) => s === 0, Ne: (s) => s !== 0,
};
const EXACTLY = {
  "+": plus, "-": minus, "*": times, "/": over,
  Min: (...a) => a.reduce((x, y) => (order(x, y) <= 0 ? x : y)),
  Max: (...a) => a.reduce((x, y) => (order(x, y) >= 0 ? x : y)),
  Abs: (a) => (a.n < 0n ? rational(-a.n, a.d) : a),
};

function exactly(tree, names) {
  if (tree === null) return null;
  const [kind, ...parts] = tree;
  if (kind === "number") return parts[0];
  if (kind === "name") return Object.hasOwn(names, parts[0]) ? names[parts[0]] : null;
  if (kind === "|" || kind === "&") return both(kind, parts.map((part) => exactly(part, names)));
  const word = kind === "call" ? parts.shift() : kind;
  const values = parts.map((part) => exactly(part, names));
  if (values.some((value) => value === null || typeof value === "boolean")) return null;
  if (word === "neg") return rational(-values[0].n, values[0].d);
  if (word === "**") return power(values[0], values[1]);
  if (Object.hasOwn(COMPARED, word) && values.length === 2) return COMPARED[word](order(values[0], values[1]));
  return Object.hasOwn(EXACTLY, word) && values.length ? EXACTLY[word](...values) : null;
}

function both(kind, values) {
  const settling = kind === "|"; // one true part settles "or", one false part settles "and"
  if (values.includes(settling)) return settling;
  return values.every((value) => value === !settling) ? !settling : null;
}

function power(base, exponent) {
  if (exponent.d !== 1n || exponent.n > 64n || exponent.n < -64n) return null;
  if (exponent.n < 0n) return base.n === 0n ? null : power(rational(base.d, base.n), rational(-exponent.n));
  return rational(base.n ** exponent.n, base.d ** exponent.n);
}

// in floats, for drawing alone; NaN where there is no number

const IN_FLOATS = {
  "+": (a, b) => a + b, "-": (a, b) => a - b, "*": (a, b) => a * b, "/": (a, b) => a / b, "**": (a, b) => a ** b,
  neg: (a) => -a, Min: Math.min, Max: Math.max, Abs: Math.abs, sqrt: Math.sqrt, cbrt: Math.cbrt, exp: Math.exp,
  log: Math.log, sin: Math.sin, cos: Math.cos, tan: Math.tan, asin: Math.asin, acos: Math.acos, atan: Math.atan,
  sinh: Math.sinh, cosh: Math.cosh, tanh: Math.tanh, sign: Math.sign, floor: Math.floor, ceiling: Math.ceil,
  atan2: Math.atan2,
};
const CONSTANTS = { pi: Math.PI, E: Math.E, oo: Infinity, inf: Infinity, nan: NaN };

function inFloats(tree, names) {
  if (tree === null) return NaN;
  const [kind, ...parts] = tree;
  if (kind === "number") return toFloat(parts[0]);
  if (kind === "name") return [names, CONSTANTS].find((known) => Object.hasOwn(known, parts[0]))?.[parts[0]] ?? NaN;
  const word = kind === "call" ? parts.shift() : kind;
  return Object.hasOwn(IN_FLOATS, word) ? IN_FLOATS[word](...parts.map((part) => inFloats(part, names))) : NaN;
}

const exactText = (text, names = {}) => exactly(formula(text), names);
const floatText = (text, names = {}) => inFloats(formula(text), names);

// for readers: a true minus, a root sign, and of what is too long a decimal
function shown(text) {
  if (text === null || text === undefined) return "none";
  if (Array.isArray(text)) return `[${text.map(shown).join(", ")}]`;
  if (text.length > 28) {
    const about = floatText(text);
    if (Number.isFinite(about)) return `≈ ${decimal(about)}`;
    if (text.length > 120) return `${text.slice(0, 120)}…`;
  }
  return text.replace(/sqrt\(([^()]*)\)/g, (_, inner) => (/^\w+$/.test(inner) ? `√${inner}` : `√(${inner})`))
    .replace(/\*\*2\b/g, "²").replace(/\*\*3\b/g, "³").replace(/-/g, "−").replace(/\binf\b/g, "∞");
}

// `= 1/2` or `≈ 0.12346`, after a name.
const equal = (text) => (text.startsWith("≈") ? text : `= ${text}`);

function decimal(value) {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? "NaN" : value > 0 ? "∞" : "−∞";
  return String(Number(value.toPrecision(5))).replace(/-/g, "−");
}
