"""One instruction to a Python expression on plain floats, with as few parentheses as its order allows.

    t = mul x y        x * y
    s = add t x        x * y + x        where t stands in it
    k = kink t 0 t 0   0.0 if t < 0.0 else t

Nothing is computed in another order than the program has it: a + (b + c) keeps its parentheses. What has the same bits
is written in its shorter form: a - b for a + (-b), x for 1.0 * x, 0.5 for 1.0 / 2.0. Arithmetic that raises on plain
floats where IEEE has an answer may raise: the module then runs the same code on NumPy's float64.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from operator import add, eq, ge, gt, le, lt, mul, ne, sub, truediv
from typing import Any, assert_never

from cfcompiler.arithmetic import nearest_float
from cfcompiler.ir import Apply, Instruction, Kink, Program, Select, Value
from cfcompiler.primitives import COMPARISONS, TABLE
from cfcompiler.targets.numpy_module.expressions import RELATIONS
from cfcompiler.targets.numpy_module.weights import cases_text, number_text, term_of

# How tightly a text binds, as in Python's grammar.
CHOICE, OR, AND, NOT, COMPARE, SUM, PRODUCT, NEGATION, POWER, ATOM = range(10)
_INFIX = {"add": ("+", SUM), "sub": ("-", SUM), "mul": ("*", PRODUCT)}
_COMPARE = {"less": lt, "less_equal": le, "greater": gt, "greater_equal": ge, "equal": eq, "not_equal": ne}
# Rows whose value may be a plain float also in the second run, on NumPy's float64.
_NARROW = ("erf", "erfc", "sign", "heaviside", "floor", "ceil", "round", "trunc", "remainder")
_PLACES = ("order", "argextremum", "cumargextremum")


@dataclass(frozen=True, slots=True)
class Text:
    """An expression and how tightly it binds; `negated`: what it is, with the sign in front, the negation of."""

    text: str
    level: int = ATOM
    negated: Text | None = None

    def at(self, level: int) -> str:
        """The text as an operand of something that binds as tightly as `level`."""
        return self.text if self.level >= level else f"({self.text})"

    @property
    def number(self) -> float | None:
        """The finite number that the text is."""
        return float(self.text) if re.fullmatch(r"-?\d[\d.]*(e[-+]?\d+)?", self.text) else None


def _number(number: float) -> Text:
    text = number_text(number)
    return Text(text, NEGATION, Text(text[1:])) if text.startswith("-") else Text(text)


def _truth(text: Text) -> bool | None:
    return {"True": True, "False": False}.get(text.text)


def _product(text: str, first: Text) -> Text:
    """A product or quotient, whose sign is that of its first factor turned."""
    return Text(text, PRODUCT, Text(text[1:], PRODUCT) if first.negated is not None else None)


def _negation(text: Text) -> Text:
    return text.negated if text.negated is not None else Text(f"-{text.at(POWER)}", NEGATION, text)


class InstructionTexts:
    """The expressions of a program's instructions, over the names that its values have in the function.

    `texts` has the values that stand in place of their names. choosing, branching: as in `scalar.function_text`.
    """

    def __init__(
        self, program: Program, names: Mapping[str, str], *, choosing: bool, branching: frozenset[str]
    ) -> None:
        self.names = names
        self.choosing = choosing
        self.branching = branching
        self.instructions = {instruction.out.name: instruction for instruction in program.instructions}
        self.texts: dict[str, Text] = {}
        self.wide: set[str] = {
            param.value.name for param in program.params
        }  # NumPy's float64 in the second run
        self.gathers: dict[str, dict[str, str]] = {}

    def of(self, value: Value) -> Text:
        text = self.texts.get(value.name)
        return text if text is not None else Text(self.names[value.name])

    def text(self, instruction: Instruction) -> Text:
        match instruction:
            case Kink():
                return self._kink(instruction)
            case Select(guard=guard, then=then, orelse=orelse):
                self.widen(instruction)
                return self._select(self.of(guard), self.of(then), self.of(orelse))
            case Apply():
                return self._apply(instruction)
            case _:
                assert_never(instruction)

    def _select(self, guard: Text, then: Text, orelse: Text) -> Text:
        truth = _truth(guard)
        if truth is not None:
            return then if truth else orelse
        if then.text == orelse.text:
            return then
        return Text(f"{then.at(OR)} if {guard.at(OR)} else {orelse.at(CHOICE)}", CHOICE)

    def widen(self, select: Select) -> None:
        """What is selected is wide where both arms are."""
        if {select.then.name, select.orelse.name} <= self.wide:
            self.wide.add(select.out.name)

    def is_literal(self, instruction: Apply) -> bool:
        if instruction.op == "neg":
            return self._is_number(instruction.args[0])
        return instruction.op in ("constant", "boolean")

    def _is_number(self, value: Value) -> bool:
        instruction = self.instructions.get(value.name)
        return isinstance(instruction, Apply) and instruction.op == "constant"

    def _kink(self, kink: Kink) -> Text:
        """above at left >= right, below at left < right; a piece that is NaN with left and right needs no third case."""
        left, right, above, below = (
            self.of(value) for value in (kink.left, kink.right, kink.above, kink.below)
        )
        if {kink.above.name, kink.below.name} <= self.wide:
            self.wide.add(kink.out.name)
        moving = [value.name for value in (kink.left, kink.right) if not self._is_number(value)]
        first, second = left.at(SUM), right.at(SUM)
        if moving == [kink.above.name]:
            return Text(f"{below.at(OR)} if {first} < {second} else {above.at(CHOICE)}", CHOICE)
        if moving == [kink.below.name]:
            return Text(f"{above.at(OR)} if {first} >= {second} else {below.at(CHOICE)}", CHOICE)
        return Text(
            f"{above.at(OR)} if {first} >= {second} else {below.at(OR)} if {first} < {second} else nan",
            CHOICE,
        )

    def _apply(self, instruction: Apply) -> Text:
        op, args = instruction.op, [self.of(arg) for arg in instruction.args]
        row = TABLE[op]
        if row.kind == "elementwise":
            return self._elementwise(instruction, args)
        if row.kind == "condition":
            outcome = self._condition(op, args)
            if instruction.out.name in self.branching:
                tied = f"{args[0].at(SUM)} == {args[1].at(SUM)}"
                return Text(f"choose.branch({instruction.out.name!r}, {outcome.text}, {tied})")
            return outcome
        self_method: Callable[[Apply, list[Text]], Text] = getattr(self, f"_op_{op}")
        return self_method(instruction, args)

    def _elementwise(self, instruction: Apply, args: list[Text]) -> Text:
        op, out = instruction.op, instruction.out.name
        wide = [arg.name in self.wide for arg in instruction.args]
        if op not in _NARROW and (any(wide) or op not in (*_INFIX, "neg", "div", "ipow")):
            self.wide.add(out)
        if op in _INFIX or op == "div":
            known = self._known(op, args)
            return known if known is not None else self._infix(op, args, any(wide))
        if op == "neg":
            return _negation(args[0])
        if op in ("ipow", "rpow"):
            return self._power(instruction, args[0], any(wide))
        filled = dict(zip(TABLE[op].params, (arg.text for arg in args), strict=True))
        text = TABLE[op].python.format(**filled)
        return Text(text.replace("(", "_point(", 1) if text.startswith("_") else text)

    def _known(self, op: str, args: list[Text]) -> Text | None:
        """What needs no arithmetic at run time: of two numbers, as Python does it, and a factor 1 or -1."""
        x, y = (arg.number for arg in args)
        if x is not None and y is not None and (op != "div" or y != 0.0):
            found = {"add": add, "sub": sub, "mul": mul, "div": truediv}[op](x, y)
            # 1.0 / 3.0 is easier to read; a choice between 0 and what is 0 shall be made as it was
            short = found != 0.0 and len(repr(found)) <= len(f"{x} + {y}")
            return _number(found) if math.isfinite(found) and short else None
        if op == "mul" and (x in (1.0, -1.0) or y in (1.0, -1.0)):
            one, other = (x, args[1]) if x in (1.0, -1.0) else (y, args[0])
            return other if one == 1.0 else _negation(other)
        return None

    def _infix(self, op: str, args: list[Text], wide: bool) -> Text:
        x, y = args
        if op == "div":
            return self._quotient(x, y, wide)
        sign, level = _INFIX[op]
        if level == PRODUCT:
            return _product(f"{x.at(PRODUCT)} * {y.at(NEGATION)}", x)
        if y.negated is not None:
            sign, y = "-" if op == "add" else "+", y.negated
        return Text(f"{x.at(SUM)} {sign} {y.at(PRODUCT)}", SUM)

    def _quotient(self, x: Text, y: Text, wide: bool) -> Text:
        if wide or y.number not in (None, 0.0):
            return _product(f"{x.at(PRODUCT)} / {y.at(NEGATION)}", x)
        return Text(f"_divide_point({x.text}, {y.text})")

    def _power(self, instruction: Apply, x: Text, wide: bool) -> Text:
        n: Fraction = instruction.attribute("n")
        if n == 0:
            return Text("1.0")
        if n == 1:
            return x
        if n == -1:
            return self._quotient(Text("1.0"), x, wide)
        if n == 2:
            return _product(f"{x.at(PRODUCT)} * {x.at(NEGATION)}", x)
        if n == Fraction(1, 2):
            return Text(f"sqrt({x.text})")
        if instruction.op == "rpow" or n.denominator != 1:
            return Text(f"pow({x.text}, {number_text(nearest_float(n))})")
        if not wide:
            return Text(f"_power_point({x.text}, {n})")
        return Text(f"{x.at(ATOM)}**{n}", POWER)

    def _condition(self, op: str, args: list[Text]) -> Text:
        if op in COMPARISONS:
            x, y = (arg.number for arg in args)
            if x is not None and y is not None:
                return Text(repr(_COMPARE[op](x, y)))
            return Text(f"{args[0].at(SUM)} {RELATIONS[op]} {args[1].at(SUM)}", COMPARE)
        if op == "isnan":
            return Text(f"{args[0].at(SUM)} != {args[0].at(SUM)}", COMPARE)
        if op == "logical_not":
            known = _truth(args[0])
            return Text(f"not {args[0].at(NOT)}", NOT) if known is None else Text(repr(not known))
        for known, other in ((_truth(args[0]), args[1]), (_truth(args[1]), args[0])):
            if known is not None:
                return other if known == (op == "logical_and") else Text(repr(known))
        if op == "logical_and":
            return Text(f"{args[0].at(AND)} and {args[1].at(NOT)}", AND)
        return Text(f"{args[0].at(OR)} or {args[1].at(AND)}", OR)

    # structure

    def _op_constant(self, instruction: Apply, args: list[Text]) -> Text:
        return _number(nearest_float(instruction.attribute("value")))

    def _op_boolean(self, instruction: Apply, args: list[Text]) -> Text:
        return Text(repr(bool(instruction.attribute("value"))))

    def _op_to_real(self, instruction: Apply, args: list[Text]) -> Text:
        return Text(f"float({args[0].text})")

    def _op_index(self, instruction: Apply, args: list[Text]) -> Text:
        if instruction.args[0].name in self.wide:
            self.wide.add(instruction.out.name)
        places = "".join(f"[{place}]" for place in instruction.attribute("key"))
        return Text(f"{args[0].text}{places}")

    def _op_stack(self, instruction: Apply, args: list[Text]) -> Text:
        if {arg.name for arg in instruction.args} <= self.wide:
            self.wide.add(instruction.out.name)
        whole = self._all_entries(instruction.args)
        return self.of(whole) if whole is not None else Text(f"[{', '.join(arg.text for arg in args)}]")

    def _all_entries(self, values: Sequence[Value]) -> Value | None:
        """The list whose entries the values are, from the first to the last."""
        source: Value | None = None
        for place, value in enumerate(values):
            entry = self.instructions.get(value.name)
            if not isinstance(entry, Apply) or entry.op != "index" or entry.attribute("key") != (place,):
                return None
            if source is not None and entry.args[0].name != source.name:
                return None
            source = entry.args[0]
        return source if source is not None and source.shape == (len(values),) else None

    def _op_reshape(self, instruction: Apply, args: list[Text]) -> Text:
        """The entries stay in one list; what is returned gets its shape there."""
        if instruction.args[0].name in self.wide:
            self.wide.add(instruction.out.name)
        return args[0]

    # choices

    def _op_weigh(self, instruction: Apply, args: list[Text]) -> Text:
        left, right, term = args
        below, tie, above, unordered = instruction.attribute("weights")
        gate = instruction.attribute("gate")
        outcomes = [
            term_of(weight, term.at(OR), term.at(NEGATION), _negation(term).at(OR), gate)
            for weight in (below, tie, above, unordered)
        ]
        first, second = left.at(SUM), right.at(SUM)
        if not self.choosing:
            text = cases_text((outcomes[0], outcomes[1], outcomes[2], outcomes[3]), first, second)
            return term if text == term.text else Text(text, CHOICE if " if " in text else PRODUCT)
        rest = cases_text((outcomes[0], outcomes[2], outcomes[2], outcomes[3]), first, second)
        piece = f"choose.piece({instruction.attribute('kink')!r}, {instruction.attribute('piece')!r}, {term.text})"
        return Text(f"{piece} if {first} == {second} else {rest}", CHOICE)

    def _op_extremum(self, instruction: Apply, args: list[Text]) -> Text:
        if instruction.args[0].name in self.wide:
            self.wide.add(instruction.out.name)
        return Text(
            f"{'_largest' if instruction.attribute('sense') == 'max' else '_smallest'}({args[0].text})"
        )

    def _op_weigh_extremum(self, instruction: Apply, args: list[Text]) -> Text:
        rule, mode = instruction.attribute("rule"), instruction.attribute("mode")
        forward = mode == "forward"
        at_nan, gate = (
            (rule.nan_forward, rule.gate_forward) if forward else (rule.nan_reverse, rule.gate_reverse)
        )
        v, top, term = (arg.text for arg in args)
        if self.choosing and not forward:
            return Text(f"choose.entry({instruction.args[1].name!r}, {v}, {top}, {term})")
        tie = rule.tie if isinstance(rule.tie, str) else tuple(nearest_float(weight) for weight in rule.tie)
        return Text(f"_entry_weights({v}, {top}, {term}, {tie!r}, {at_nan!r}, {gate!r})")

    def _op_argextremum(self, instruction: Apply, args: list[Text]) -> Text:
        return Text(f"_place_of_extreme({args[0].text}, {instruction.attribute('sense')!r})")

    def _op_cumargextremum(self, instruction: Apply, args: list[Text]) -> Text:
        sense, last = instruction.attribute("sense"), instruction.attribute("last")
        return Text(f"_places_of_extremes({args[0].text}, {sense!r}, {last!r})")

    def _op_order(self, instruction: Apply, args: list[Text]) -> Text:
        static: dict[str, Any] = dict(instruction.attributes)
        descending, last = static.get("descending", False), static.get("last", False)
        return Text(f"_sorted_places({args[0].text}, {descending!r}, {last!r})")

    def _op_gather(self, instruction: Apply, args: list[Text]) -> Text:
        self.gathers.setdefault(instruction.args[1].name, {})[instruction.out.name] = args[0].text
        return Text(f"_picked({args[0].text}, {args[1].text})")

    def _op_scatter(self, instruction: Apply, args: list[Text]) -> Text:
        terms, places = args[0].text, args[1].text
        maker = self.instructions.get(instruction.args[1].name)
        if self.choosing and isinstance(maker, Apply) and maker.op in _PLACES:
            keys, name = self.of(maker.args[0]).text, maker.out.name
            read = f"[{', '.join(self.gathers.get(name, {}).values())}]"
            places = {
                "order": f"choose.order({name!r}, {keys}, {places}, {terms})",
                "argextremum": f"choose.place({name!r}, {keys}, {places}, {terms}, {read})",
                "cumargextremum": f"choose.places({name!r}, {keys}, {places}, {terms}, {read})",
            }[maker.op]
        return Text(f"_spread({terms}, {places}, {instruction.attribute('size')})")

    def _op_logsumexp(self, instruction: Apply, args: list[Text]) -> Text:
        self.wide.add(instruction.out.name)
        return Text(f"_logsumexp_of({args[0].text})")

    def _op_norm2(self, instruction: Apply, args: list[Text]) -> Text:
        self.wide.add(instruction.out.name)
        return Text(f"_norm_of({args[0].text})")
