r"""Program, its forward and backward programs -> LaTeX: one align* each, cases at the kinks; needs amsmath.

    s &= \begin{cases} x & x > 0 \\ 0 & x \le 0 \end{cases} \\
    \bar{x} &= \begin{cases} c & x > 0 \\ \frac{1}{2} \, c & x = 0 \\ 0 & x < 0 \end{cases}

For reading: intermediate values that are used once and short stand where they are used, tangents have a dot and
cotangents a bar, and what only moves entries about (reshape, broadcast) is not written. The printed form that loses
nothing is program_text.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from math import prod

from cfcompiler.ir import Apply, Instruction, Kink, Number, Program, Select, Value
from cfcompiler.primitives import TABLE
from cfcompiler.targets.latex_arrays import ArrayTexts, without_trivial
from cfcompiler.verify import arguments

SUM, PRODUCT, UNARY, ATOM = 1, 2, 3, 4
# Longest text that stands where its value is used: in a formula, and in a row of cases.
IN_FORMULA, IN_CASES = 90, 30
Text = tuple[str, int]  # LaTeX and how tightly it binds

_GREEK = frozenset(
    "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi rho sigma tau phi chi psi omega".split()
)
_NUMBERS = {"pi": r"\pi", "e": r"\mathrm{e}", "inf": r"\infty", "-inf": r"-\infty", "nan": r"\mathrm{NaN}"}
_RELATIONS = {
    "less": "<",
    "less_equal": r"\le",
    "greater": ">",
    "greater_equal": r"\ge",
    "equal": "=",
    "not_equal": r"\ne",
    "logical_and": r"\wedge",
    "logical_or": r"\vee",
}
_FUNCTIONS = {
    "exp": r"\exp",
    "log": r"\log",
    "sin": r"\sin",
    "cos": r"\cos",
    "tan": r"\tan",
    "asin": r"\arcsin",
    "acos": r"\arccos",
    "atan": r"\arctan",
    "sinh": r"\sinh",
    "cosh": r"\cosh",
    "tanh": r"\tanh",
    "log2": r"\log_2",
    "log10": r"\log_{10}",
    "sigmoid": r"\sigma",
}
_AROUND = {
    "sqrt": (r"\sqrt{", "}"),
    "cbrt": (r"\sqrt[3]{", "}"),
    "floor": (r"\lfloor ", r"\rfloor "),
    "ceil": (r"\lceil ", r"\rceil "),
    "norm2": (r"\lVert ", r"\rVert_2 "),
}
_FLIPPED = {">": "<", "<": ">", "=": "=", r"\ge": r"\le", r"\le": r"\ge"}
# They change the shape of a value and not its entries.
_UNWRITTEN = frozenset(("reshape", "broadcast", "to_real"))
_SYMBOL = re.compile(r"(?:\d+|\w|\\[a-z]+(?:\{\w+\})?)(?:_\{[^{}]*\})?")
_GENERATED = re.compile(r"(?:[tskb]|[dc]_\w+)(?:_\d+)?")


def emit(program: Program, forward: Program, backward: Program) -> str:
    """The three programs, each under a comment that says which it is."""
    params, values = _params(program), _values(program)
    primal = _names(program)
    heads = [f"{value}({', '.join(params.values())})" for value in values]
    tangents = [rf"\dot{{{value}}}" for value in values]
    cotangents = [rf"\bar{{{params[p.value.name]}}}" for p in program.params if p.differentiable]
    parts = [
        ("the program", program, heads),
        ("its forward derivative: a dot is a tangent", forward, [*heads, *tangents]),
        ("its backward derivative: a bar is a cotangent", backward, [*heads, *cotangents]),
    ]
    blocks = []
    for title, part, labels in parts:
        rows = _Writer(part, primal, params).rows(labels)
        body = " \\\\\n".join(rows)
        blocks.append(
            f"% {program.name} under {program.preset}: {title}\n\\begin{{align*}}\n{body}\n\\end{{align*}}\n"
        )
    return "\n".join(blocks)


def equations(program: Program) -> tuple[str, ...]:
    """The rows of the program alone, `left &= right`."""
    params = _params(program)
    heads = [f"{value}({', '.join(params.values())})" for value in _values(program)]
    return tuple(_Writer(program, _names(program), params).rows(heads))


def _values(program: Program) -> list[str]:
    """What the results are called, without the inputs."""
    own, count = word(program.name), len(program.results)
    return [own] if count == 1 else [f"{own}_{{{place}}}" for place in range(count)]


def _names(program: Program) -> set[str]:
    return {param.value.name for param in program.params} | {step.out.name for step in program.instructions}


# symbols


def _params(program: Program) -> dict[str, str]:
    """The symbol of each input, by name."""
    taken: set[str] = set()
    return {param.value.name: _distinct(_symbol(param.value.name, set()), taken) for param in program.params}


def _distinct(symbol: str, taken: set[str]) -> str:
    """The symbol, with ^{(1)}, ^{(2)}, ... where other values have it: x2 and x_2 are two. It is taken then."""
    found, count = symbol, 0
    while _look(found) in taken:
        count += 1
        found = f"{symbol}^{{({count})}}"
    taken.add(_look(found))
    return found


def _look(symbol: str) -> str:
    r"""What a reader sees: \bar{x}_{2} and \bar{x_{2}} look alike."""
    return re.sub(r"[{}]", "", symbol)


def word(name: str) -> str:
    """One part of a name as a symbol."""
    if name in _GREEK:
        return f"\\{name}"
    letters = name.replace("_", r"\_")
    return name if len(name) == 1 else rf"\mathit{{{letters}}}"


def _symbol(name: str, primal: set[str]) -> str:
    """`x_2` is x with an index; `d_x` and `c_x`, where the program itself has no such name, have a dot and a bar."""
    mark = ""
    if primal and name not in primal and re.match(r"[dc]_\w", name):
        mark, name = (r"\dot" if name[0] == "d" else r"\bar"), name[2:]
    found = re.fullmatch(r"([^\W\d_]+)_?(\w*)", name)
    base, index = (found[1], found[2]) if found else (name, "")
    symbol = f"{mark}{{{word(base)}}}" if mark else word(base)
    parts = [part if part.isdigit() else word(part) for part in index.split("_") if part]
    return symbol + (f"_{{{','.join(parts)}}}" if parts else "")


def _number(number: Number) -> Text:
    if isinstance(number, str):
        text = _NUMBERS.get(number, number)
        return text, UNARY if text.startswith("-") else ATOM
    fraction = Fraction(number)
    sign = "-" if fraction < 0 else ""
    numerator, denominator = abs(fraction.numerator), fraction.denominator
    text = f"{numerator}" if denominator == 1 else rf"\frac{{{numerator}}}{{{denominator}}}"
    return sign + text, UNARY if sign else ATOM


def _wrapped(text: Text, level: int) -> str:
    return text[0] if text[1] >= level else rf"\left({text[0]}\right)"


def _base(text: Text) -> str:
    """What a power stands on: a symbol by itself, anything else in parentheses."""
    return text[0] if _SYMBOL.fullmatch(text[0]) else rf"\left({text[0]}\right)"


def _added(left: Text, right: Text) -> Text:
    if right[0].startswith("-"):
        return f"{left[0]} - {right[0][1:]}", SUM
    return f"{left[0]} + {right[0]}", SUM


def _multiplied(left: Text, right: Text, sign: str = r"\,") -> Text:
    first, second = _wrapped(left, PRODUCT), _wrapped(right, ATOM if right[0].startswith("-") else PRODUCT)
    dot = r"\cdot" if sign == r"\," and (second[0].isdigit() or second.startswith(r"\frac")) else sign
    return f"{first} {dot} {second}", PRODUCT


def _negated(text: Text) -> Text:
    if text[1] == UNARY and text[0].startswith("-"):
        return text[0][1:], PRODUCT
    return f"-{_wrapped(text, PRODUCT)}", UNARY


def _cases(rows: Sequence[tuple[str, str]]) -> str:
    body = r" \\ ".join(f"{text} & {condition}" for text, condition in rows)
    return rf"\begin{{cases}} {body} \end{{cases}}"


class _Writer:
    """Writes one program: `texts` has for every value its symbol, or the formula that stands for it."""

    def __init__(self, program: Program, primal: set[str], params: Mapping[str, str]) -> None:
        self.program = program
        self.primal = primal
        self.params = params
        self.taken: set[str] = set()
        self.arrays = ArrayTexts({step.out.name: step for step in program.instructions}, primal)
        self.texts: dict[str, Text] = {}
        self.uses = Counter(value.name for step in program.instructions for value in arguments(step))
        self.uses.update(value.name for value in program.results)
        self.steps = {step.out.name: step for step in program.instructions}
        self.users = {value.name: step for step in program.instructions for value in arguments(step)}

    def rows(self, labels: Sequence[str]) -> Iterator[str]:
        self.taken.update(map(_look, (*self.params.values(), *labels)))
        for param in self.program.params:
            name = param.value.name
            symbol = self.params.get(name) or _distinct(_symbol(name, self.primal), self.taken)
            self.texts[name] = (symbol, ATOM)
        for step in self.program.instructions:
            text = self._formula(step)
            if self._stands_in(step, text):
                self.texts[step.out.name] = text
                continue
            symbol = _distinct(_symbol(step.out.name, self.primal), self.taken)
            self.texts[step.out.name] = (symbol, ATOM)
            yield f"{symbol} &= {text[0]}{self._margin(step)}"
        for label, value in zip(labels, self.program.results, strict=True):
            yield f"{label} &= {self._of(value)[0]}"

    def _of(self, value: Value) -> Text:
        return self.texts[value.name]

    def _stands_in(self, step: Instruction, text: Text) -> bool:
        """Whether the formula is written where the value is used, instead of in a row of its own."""
        name, out = step.out.name, step.out
        if isinstance(step, Apply) and (step.op in ("constant", "array", *_UNWRITTEN) or out.kind == "bool"):
            return len(text[0]) <= IN_FORMULA
        if r"\begin{cases}" in text[0] and not (self._half(step) or self._last(name)):
            return False
        if self._half(step):
            return True
        user = self.users.get(name)
        heavy = isinstance(user, Kink | Select) or (isinstance(user, Apply) and user.op.startswith("weigh"))
        limit = IN_CASES if heavy else IN_FORMULA
        generated = _GENERATED.fullmatch(name) is not None or self._last(name)
        return self.uses[name] == 1 and generated and (len(text[0]) <= limit or self._last(name))

    def _last(self, name: str) -> bool:
        """A value that is used as a result alone."""
        return name not in self.users

    def _half(self, step: Instruction) -> bool:
        """One piece of a kink's derivative whose sum with the other is written as one cases."""
        user = self.users.get(step.out.name)
        if self.uses[step.out.name] != 1 or not isinstance(user, Apply) or user.op != "add":
            return False
        return self._weighed(user) is not None

    def _weighed(self, step: Apply) -> tuple[Apply, Apply] | None:
        """The two weighed pieces of one kink that `step` adds."""
        if step.op != "add" or any(self.uses[arg.name] != 1 for arg in step.args):
            return None
        pieces = tuple(self.steps.get(arg.name) for arg in step.args)
        match pieces:
            case (Apply(op="weigh") as one, Apply(op="weigh") as other) if (
                one.attribute("kink") == other.attribute("kink") and one.args[:2] == other.args[:2]
            ):
                return one, other
        return None

    def _margin(self, step: Instruction) -> str:
        if not step.out.branch:
            return ""
        conditions = []
        for guard, truth in step.out.branch:
            text = self.texts[guard]
            conditions.append(text[0] if truth else rf"\neg {_wrapped(text, ATOM)}")
        return rf" & \text{{if }} {r', '.join(conditions)}"

    # formulas

    def _formula(self, step: Instruction) -> Text:
        match step:
            case Kink():
                rows = [
                    (self._of(step.above)[0], self._compared(step.left, ">", step.right)),
                    (self._of(step.below)[0], self._compared(step.left, r"\le", step.right)),
                ]
                return _cases(rows), ATOM
            case Select(then=then, orelse=orelse) if self._of(then) == self._of(orelse) and not self._written(
                step
            ):
                return self._of(then)
            case Select():
                rows = [
                    (self._of(step.then)[0], rf"\text{{if }} {self._of(step.guard)[0]}"),
                    (self._of(step.orelse)[0], r"\text{otherwise}"),
                ]
                return _cases(rows), ATOM
            case Apply():
                return self._apply(step)

    def _written(self, step: Instruction) -> bool:
        """Whether the program itself has the instruction: it stands as the user wrote it."""
        return step.out.name in self.primal

    def _apply(self, step: Apply) -> Text:
        op, args = step.op, [self._of(arg) for arg in step.args]
        if not self._written(step) and (short := without_trivial(step, args)) is not None:
            return short
        if (text := self.arrays.of(step, [text for text, _ in args])) is not None:
            return text, ATOM if op == "index" else PRODUCT
        match op:
            case "constant":
                return _number(step.attribute("value"))
            case "boolean":
                return rf"\mathrm{{{str(step.attribute('value')).lower()}}}", ATOM
            case "array":
                return _symbol(step.attribute("name"), set()), ATOM
            case "add":
                both = self._weighed(step)
                return _added(*args) if both is None else (self._weights(both), ATOM)
            case "sub":
                return _added(args[0], _negated((_wrapped(args[1], PRODUCT), PRODUCT)))
            case "mul":
                return _multiplied(
                    args[0], args[1], r"\odot" if all(prod(arg.shape) > 1 for arg in step.args) else r"\,"
                )
            case "div":
                return rf"\frac{{{args[0][0]}}}{{{args[1][0]}}}", ATOM
            case "neg":
                return _negated(args[0])
            case "ipow" | "rpow":
                return f"{_base(args[0])}^{{{_number(step.attribute('n'))[0]}}}", ATOM
            case "pow":
                return f"{_base(args[0])}^{{{args[1][0]}}}", ATOM
            case "weigh":
                return self._weights((step,)), ATOM
            case "logical_not":
                return rf"\neg {_wrapped(args[0], ATOM)}", UNARY
            case "matmul":
                if not step.out.shape:
                    return rf"\left\langle {args[0][0]}, {args[1][0]} \right\rangle", ATOM
                return _multiplied(args[0], args[1])
            case "transpose":
                return f"{_wrapped(args[0], ATOM)}^{{\\top}}", ATOM
        if op in _UNWRITTEN:
            return args[0]
        if op in _RELATIONS:
            level = 0 if op.startswith("logical") else SUM
            return f"{_wrapped(args[0], level)} {_RELATIONS[op]} {_wrapped(args[1], level)}", 0
        return self._call(op, args)

    @staticmethod
    def _call(op: str, args: Sequence[Text]) -> Text:
        inside = ", ".join(text for text, _ in args)
        if op in _AROUND:
            before, after = _AROUND[op]
            return f"{before}{inside}{after}".strip(), ATOM
        if op == "stack":
            return rf"\left[{inside}\right]", ATOM
        name = op.replace("_", r"\_")
        head = _FUNCTIONS.get(op, rf"\operatorname{{{name}}}")
        assert op in TABLE, op
        return rf"{head}\left({inside}\right)", ATOM

    def _weights(self, pieces: Sequence[Apply]) -> str:
        """The weighed terms, added, in each case of the comparison; equal neighbours are one case."""
        below, tie, above = (self._weighted(pieces, case) for case in (0, 1, 2))
        if below == tie == above:
            return below
        texts = {">": above, "=": tie, "<": below}
        if tie == above:
            texts = {r"\ge": above, "<": below}
        elif tie == below:
            texts = {">": above, r"\le": below}
        left, right = pieces[0].args[:2]
        return _cases([(text, self._compared(left, relation, right)) for relation, text in texts.items()])

    def _compared(self, left: Value, relation: str, right: Value) -> str:
        """The condition, with a number on the right."""
        step = self.steps.get(left.name)
        if isinstance(step, Apply) and step.op == "constant":
            left, right, relation = right, left, _FLIPPED[relation]
        return f"{self._of(left)[0]} {relation} {self._of(right)[0]}"

    def _weighted(self, pieces: Sequence[Apply], case: int) -> str:
        total: Text | None = None
        for piece in pieces:
            weight = piece.attribute("weights")[case]
            if weight == 0:
                continue
            term = self._of(piece.args[2])
            if weight != 1:
                negative = term[0].startswith("-") and term[1] == UNARY
                share = _multiplied(_number(weight), _negated(term) if negative else term)
                term = _negated(share) if negative else share
            total = term if total is None else _added(total, term)
        return "0" if total is None else total[0]
