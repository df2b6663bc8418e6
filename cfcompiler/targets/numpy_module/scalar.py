"""A scalarized program to a Python function of plain floats, one instruction a line.

    s = select(x, 0, x, 0)     # line 2: return relu(x) + 1
    t = s + 1                  s = 0.0 if x < 0.0 else x
                               t = s + 1.0

Branches become if and else, kinks and weights conditional expressions, orderings calls on short lists. Arithmetic
that raises on plain floats where IEEE has an answer may raise: the module then runs the same code on NumPy's float64.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, assert_never

from cfcompiler.arithmetic import nearest_float
from cfcompiler.ir import Apply, Assertion, Instruction, Kink, Program, Select, Value
from cfcompiler.primitives import COMPARISONS, TABLE
from cfcompiler.targets.numpy_module.names import local_names
from cfcompiler.targets.numpy_module.schedule import Block, Copy, Step, schedule
from cfcompiler.targets.numpy_module.weights import cases_text, number_text, term_of
from cfcompiler.verify import arguments

# How tightly a text binds, as in Python's grammar.
_CHOICE, _OR, _AND, _NOT, _COMPARE, _SUM, _PRODUCT, _NEGATION, _POWER, _ATOM = range(10)
_INFIX = {"add": ("+", _SUM), "sub": ("-", _SUM), "mul": ("*", _PRODUCT)}
_RELATION = {
    "less": "<",
    "less_equal": "<=",
    "greater": ">",
    "greater_equal": ">=",
    "equal": "==",
    "not_equal": "!=",
}
# Rows whose value may be a plain float also in the second run, on NumPy's float64.
_NARROW = ("erf", "erfc", "sign", "heaviside", "floor", "ceil", "round", "trunc", "remainder")
_PLACES = ("order", "argextremum", "cumargextremum")
INDENT = "    "


@dataclass(frozen=True, slots=True)
class Text:
    """An expression and how tightly it binds."""

    text: str
    level: int = _ATOM

    def at(self, level: int) -> str:
        """The text as an operand of something that binds as tightly as `level`."""
        return self.text if self.level >= level else f"({self.text})"


def function_text(
    program: Program,
    name: str,
    results: Callable[[Sequence[str]], str],
    *,
    choosing: bool = False,
    branching: frozenset[str] = frozenset(),
    describe: str = "",
) -> list[str]:
    """The lines of `def name(params): ...`; `results` makes what is returned from the texts of the results.

    choosing: a tied operation asks the object `choose` which of its pieces to follow, and so does each of the
    comparisons named in `branching`.
    """
    return _Writer(program, choosing, branching).function(name, results, describe)


class _Writer:
    def __init__(self, program: Program, choosing: bool, branching: frozenset[str]) -> None:
        self.program = program
        self.choosing = choosing
        self.branching = branching
        self.source_lines = program.source.text.split("\n")
        self.instructions = {instruction.out.name: instruction for instruction in program.instructions}
        values = [param.value.name for param in program.params] + list(self.instructions)
        self.names = local_names(values)
        self.steps = schedule(program)
        self.uses: dict[str, int] = {}
        self._count(self.steps)
        self.chained = self._chained()
        self._join_names()
        self.texts: dict[str, Text] = {}  # of values that have no line of their own
        self.shapes: dict[str, tuple[int, ...]] = {}
        self.wide: set[str] = {
            param.value.name for param in program.params
        }  # NumPy's float64 in the second run
        self.gathers: dict[str, list[str]] = {}
        self.lines: list[str] = []
        self.line_shown = 0

    def _count(self, steps: Sequence[Step]) -> None:
        waiting = [steps]
        while waiting:
            for step in waiting.pop():
                match step:
                    case Block(guard=guard, then=then, orelse=orelse):
                        self._use(guard)
                        waiting.extend((then, orelse))
                    case Copy(value=value):
                        self._use(value)
                    case Assertion(condition=condition):
                        self._use(condition)
                    case _:
                        for value in arguments(step):
                            self._use(value)
        for value in self.program.results:
            self._use(value)

    def _use(self, value: Value) -> None:
        self.uses[value.name] = self.uses.get(value.name, 0) + 1

    def _chained(self) -> set[str]:
        """Eager selects that are only what another one falls back on: a chain of conditional expressions."""
        return {
            instruction.orelse.name
            for instruction in self.program.instructions
            if isinstance(instruction, Select)
            and isinstance(inner := self.instructions.get(instruction.orelse.name), Select)
            and not inner.lazy
            and self.uses[inner.out.name] == 1
        }

    def _join_names(self) -> None:
        """A value that is only selected has the name of what it becomes: no copy, and elif for else if."""
        for instruction in reversed(self.program.instructions):
            if not isinstance(instruction, Select) or not instruction.lazy:
                continue
            for arm, truth in ((instruction.then, True), (instruction.orelse, False)):
                inner = self.instructions.get(arm.name)
                own = (instruction.guard.name, truth) in arm.branch or (
                    isinstance(inner, Select) and inner.lazy
                )
                if inner is None or self.uses[arm.name] != 1 or not own:
                    continue
                if not isinstance(inner, Apply) or not (
                    self._is_literal(inner) or self._stands_where_used(inner)
                ):
                    self.names[arm.name] = self.names[instruction.out.name]

    # the function

    def function(self, name: str, results: Callable[[Sequence[str]], str], describe: str) -> list[str]:
        params = [self.names[param.value.name] for param in self.program.params]
        if self.choosing:
            params.append("choose")
        self.lines = [f"def {name}({', '.join(params)}):"]
        if describe:
            self.lines.append(f'{INDENT}"""{describe}"""')
        self._steps(self.steps, 1)
        self.lines.append(
            f"{INDENT}return {results([self._result(value) for value in self.program.results])}"
        )
        return self.lines

    def _result(self, value: Value) -> str:
        if not value.shape:
            return self._text(value).text
        shape = "" if len(value.shape) == 1 else f".reshape({', '.join(map(str, value.shape))})"
        return f"array({self._text(value).text}){shape}"

    def _steps(self, steps: Sequence[Step], depth: int) -> None:
        for step in steps:
            match step:
                case Block():
                    self._block(step, depth)
                case Copy():
                    if self._is_silent(step):
                        continue
                    self._put(depth, f"{self.names[step.out.name]} = {self._text(step.value).text}")
                case Assertion():
                    message = (
                        f"line {step.span.line}: {step.message}" if step.message else f"line {step.span.line}"
                    )
                    self._put(depth, f"if not {self._text(step.condition).at(_COMPARE)}:")
                    self._put(depth + 1, f"raise ValueError({message!r})")
                case _:
                    self._instruction(step, depth)

    def _put(self, depth: int, line: str) -> None:
        self.lines.append(INDENT * depth + line)

    def _say(self, instruction: Instruction, depth: int) -> None:
        """A comment with the source line, where that has changed."""
        line = instruction.span.line
        if line == self.line_shown or not 0 < line <= len(self.source_lines):
            return
        self.line_shown = line
        self._put(depth, f"# line {line}: {self.source_lines[line - 1].strip()}".rstrip(": "))

    def _block(self, block: Block, depth: int) -> None:
        if self._is_choice(block):
            for then, orelse in zip(block.then, block.orelse, strict=True):
                assert isinstance(then, Copy) and isinstance(orelse, Copy)
                self._say(then.select, depth)
                arms = self._text(then.value).at(_OR), self._text(orelse.value).at(_CHOICE)
                guard = self._text(block.guard).at(_OR)
                self._put(depth, f"{self.names[then.out.name]} = {arms[0]} if {guard} else {arms[1]}")
            self._forget_width(block.then)
            return
        condition = self.instructions.get(block.guard.name)
        if condition is not None:
            self._say(condition, depth)
        self._if(block, depth, "if")
        self._forget_width(block.then)

    def _forget_width(self, steps: Sequence[Step]) -> None:
        """What is selected is wide where both arms are."""
        for step in steps:
            if isinstance(step, Copy) and {step.select.then.name, step.select.orelse.name} <= self.wide:
                self.wide.add(step.out.name)

    def _if(self, block: Block, depth: int, word: str) -> None:
        guard, then, orelse = self._text(block.guard), block.then, block.orelse
        if not then:
            guard, then, orelse = Text(f"not {guard.at(_COMPARE)}", _NOT), orelse, ()
        self._put(depth, f"{word} {guard.text}:")
        self._arm(then, depth + 1)
        if not orelse:
            return
        spoken = [step for step in orelse if not self._is_silent(step)]
        inner = spoken[0] if len(spoken) == 1 else None
        if isinstance(inner, Block) and not self._is_choice(inner):
            for step in orelse:
                if step is not inner:
                    self._steps((step,), depth)  # conditions, which stand where they are used
            self._if(inner, depth, "elif")
            self._forget_width(inner.then)
            return
        self._put(depth, "else:")
        self._arm(orelse, depth + 1)

    def _is_silent(self, step: Step) -> bool:
        """Whether a step has no line of its own."""
        match step:
            case Copy(out=out, value=value):
                return value.name not in self.texts and self.names[out.name] == self.names[value.name]
            case Apply():
                return self._is_literal(step) or self._stands_where_used(step)
            case _:
                return False

    def _is_choice(self, block: Block) -> bool:
        """Whether nothing has to be computed in either arm."""
        return all(isinstance(step, Copy) for step in (*block.then, *block.orelse))

    def _arm(self, steps: Sequence[Step], depth: int) -> None:
        before = len(self.lines)
        self.line_shown = 0
        self._steps(steps, depth)
        self.line_shown = 0
        if all(line.lstrip().startswith("#") for line in self.lines[before:]):
            self._put(depth, "pass")

    # instructions

    def _instruction(self, instruction: Instruction, depth: int) -> None:
        before = len(self.lines)
        self._say(instruction, depth)
        said = len(self.lines)
        name = instruction.out.name
        match instruction:
            case Kink():
                text: Text | None = self._kink(instruction)
            case Select(guard=guard, then=then, orelse=orelse):
                arms = self._text(then).at(_OR), self._text(orelse).at(_CHOICE)
                text = Text(f"{arms[0]} if {self._text(guard).at(_OR)} else {arms[1]}", _CHOICE)
                if {then.name, orelse.name} <= self.wide:
                    self.wide.add(name)
            case Apply():
                text = self._apply(instruction, depth)
            case _:
                assert_never(instruction)
        if text is not None and not self._is_inlined(instruction, text):
            self._put(depth, f"{self.names[name]} = {text.text}")
        if len(self.lines) == said:
            self.line_shown = self.line_shown if said == before else 0
            del self.lines[before:]

    def _is_inlined(self, instruction: Instruction, text: Text) -> bool:
        """Constants, and conditions that are used once, stand where they are used."""
        name = instruction.out.name
        constant = isinstance(instruction, Apply) and self._is_literal(instruction)
        single = isinstance(instruction, Apply) and self._stands_where_used(instruction)
        inlined = constant or single or name in self.chained
        if inlined:
            self.texts[name] = text
        return inlined

    def _stands_where_used(self, instruction: Apply) -> bool:
        return instruction.out.kind == "bool" and self.uses.get(instruction.out.name, 0) <= 1

    def _is_literal(self, instruction: Apply) -> bool:
        if instruction.op == "neg":
            return self._is_number(instruction.args[0])
        return instruction.op in ("constant", "boolean")

    def _text(self, value: Value) -> Text:
        text = self.texts.get(value.name)
        return text if text is not None else Text(self.names[value.name])

    def _is_number(self, value: Value) -> bool:
        instruction = self.instructions.get(value.name)
        return isinstance(instruction, Apply) and instruction.op == "constant"

    def _negated(self, text: Text) -> str:
        if text.text.startswith("-") and text.level == _NEGATION:
            return text.text[1:]
        return f"-{text.at(_POWER)}"

    def _kink(self, kink: Kink) -> Text:
        """above at left >= right, below at left < right; a piece that is NaN with left and right needs no third case."""
        left, right, above, below = (
            self._text(value) for value in (kink.left, kink.right, kink.above, kink.below)
        )
        if {kink.above.name, kink.below.name} <= self.wide:
            self.wide.add(kink.out.name)
        moving = [value.name for value in (kink.left, kink.right) if not self._is_number(value)]
        first, second = left.at(_SUM), right.at(_SUM)
        if moving == [kink.above.name]:
            return Text(f"{below.at(_OR)} if {first} < {second} else {above.at(_CHOICE)}", _CHOICE)
        if moving == [kink.below.name]:
            return Text(f"{above.at(_OR)} if {first} >= {second} else {below.at(_CHOICE)}", _CHOICE)
        return Text(
            f"{above.at(_OR)} if {first} >= {second} else {below.at(_OR)} if {first} < {second} else nan",
            _CHOICE,
        )

    def _apply(self, instruction: Apply, depth: int) -> Text | None:
        op, args = instruction.op, [self._text(arg) for arg in instruction.args]
        row = TABLE[op]
        if row.kind == "elementwise":
            return self._elementwise(instruction, args)
        if row.kind == "condition":
            outcome = self._condition(op, args)
            if instruction.out.name in self.branching:
                tied = f"{args[0].at(_SUM)} == {args[1].at(_SUM)}"
                return Text(f"choose.branch({instruction.out.name!r}, {outcome.text}, {tied})")
            return outcome
        self_method: Callable[[Apply, list[Text], int], Text | None] = getattr(self, f"_op_{op}")
        return self_method(instruction, args, depth)

    def _elementwise(self, instruction: Apply, args: list[Text]) -> Text | None:
        op, out = instruction.op, instruction.out.name
        wide = [arg.name in self.wide for arg in instruction.args]
        if op not in _NARROW and (any(wide) or op not in (*_INFIX, "neg", "div", "ipow")):
            self.wide.add(out)
        if op == "div":
            return self._quotient(args[0], args[1], any(wide), nonzero=self._is_nonzero(instruction.args[1]))
        if op in _INFIX:
            sign, level = _INFIX[op]
            return Text(f"{args[0].at(level)} {sign} {args[1].at(level + 1)}", level)
        if op == "neg":
            return Text(self._negated(args[0]), _NEGATION)
        if op in ("ipow", "rpow") and instruction.attribute("n") == 1:
            self.texts[out] = args[0]
            return None
        if op in ("ipow", "rpow"):
            return self._power(instruction, args[0], any(wide))
        filled = dict(zip(TABLE[op].params, (arg.text for arg in args), strict=True))
        text = TABLE[op].python.format(**filled)
        return Text(text.replace("(", "_point(", 1) if text.startswith("_") else text)

    def _quotient(self, x: Text, y: Text, wide: bool, *, nonzero: bool) -> Text:
        if wide or nonzero:
            return Text(f"{x.at(_PRODUCT)} / {y.at(_NEGATION)}", _PRODUCT)
        return Text(f"_divide_point({x.text}, {y.text})")

    def _is_nonzero(self, value: Value) -> bool:
        instruction = self.instructions.get(value.name)
        return (
            isinstance(instruction, Apply)
            and instruction.op == "constant"
            and nearest_float(instruction.attribute("value")) != 0
        )

    def _power(self, instruction: Apply, x: Text, wide: bool) -> Text:
        n: Fraction = instruction.attribute("n")
        if n == 0:
            return Text("1.0")
        if n == -1:
            return self._quotient(Text("1.0"), x, wide, nonzero=False)
        if n == 2:
            return Text(f"{x.at(_PRODUCT)} * {x.at(_NEGATION)}", _PRODUCT)
        if n == Fraction(1, 2):
            return Text(f"sqrt({x.text})")
        if instruction.op == "rpow" or n.denominator != 1:
            return Text(f"pow({x.text}, {number_text(nearest_float(n))})")
        if not wide:
            return Text(f"_power_point({x.text}, {n})")
        return Text(f"{x.at(_ATOM)}**{n}", _POWER)

    def _condition(self, op: str, args: list[Text]) -> Text:
        if op in COMPARISONS:
            return Text(f"{args[0].at(_SUM)} {_RELATION[op]} {args[1].at(_SUM)}", _COMPARE)
        if op == "isnan":
            return Text(f"{args[0].at(_SUM)} != {args[0].at(_SUM)}", _COMPARE)
        if op == "logical_not":
            return Text(f"not {args[0].at(_NOT)}", _NOT)
        if op == "logical_and":
            return Text(f"{args[0].at(_AND)} and {args[1].at(_NOT)}", _AND)
        return Text(f"{args[0].at(_OR)} or {args[1].at(_AND)}", _OR)

    # structure

    def _op_constant(self, instruction: Apply, args: list[Text], depth: int) -> Text:
        number = nearest_float(instruction.attribute("value"))
        text = number_text(number)
        return Text(text, _NEGATION if text.startswith("-") else _ATOM)

    def _op_boolean(self, instruction: Apply, args: list[Text], depth: int) -> Text:
        return Text(repr(bool(instruction.attribute("value"))))

    def _op_to_real(self, instruction: Apply, args: list[Text], depth: int) -> Text:
        return Text(f"float({args[0].text})")

    def _op_index(self, instruction: Apply, args: list[Text], depth: int) -> Text:
        if instruction.args[0].name in self.wide:
            self.wide.add(instruction.out.name)
        places = "".join(f"[{place}]" for place in instruction.attribute("key"))
        return Text(f"{args[0].text}{places}")

    def _op_stack(self, instruction: Apply, args: list[Text], depth: int) -> Text:
        if {arg.name for arg in instruction.args} <= self.wide:
            self.wide.add(instruction.out.name)
        return Text(f"[{', '.join(arg.text for arg in args)}]")

    def _op_reshape(self, instruction: Apply, args: list[Text], depth: int) -> None:
        """The entries stay in one list; `_result` gives them their shape."""
        if instruction.args[0].name in self.wide:
            self.wide.add(instruction.out.name)
        self.texts[instruction.out.name] = args[0]

    # choices

    def _op_weigh(self, instruction: Apply, args: list[Text], depth: int) -> Text:
        left, right, term = args
        below, tie, above, unordered = instruction.attribute("weights")
        gate = instruction.attribute("gate")
        factor = term.at(_NEGATION)
        outcomes = [
            term_of(weight, factor, self._negated(term), gate) for weight in (below, tie, above, unordered)
        ]
        first, second = left.at(_SUM), right.at(_SUM)
        if not self.choosing:
            text = cases_text((outcomes[0], outcomes[1], outcomes[2], outcomes[3]), first, second)
            return Text(text, _CHOICE if " if " in text else _PRODUCT)
        rest = cases_text((outcomes[0], outcomes[2], outcomes[2], outcomes[3]), first, second)
        piece = f"choose.piece({instruction.attribute('kink')!r}, {instruction.attribute('piece')!r}, {term.text})"
        return Text(f"{piece} if {first} == {second} else {rest}", _CHOICE)

    def _op_extremum(self, instruction: Apply, args: list[Text], depth: int) -> Text:
        if instruction.args[0].name in self.wide:
            self.wide.add(instruction.out.name)
        return Text(
            f"{'_largest' if instruction.attribute('sense') == 'max' else '_smallest'}({args[0].text})"
        )

    def _op_weigh_extremum(self, instruction: Apply, args: list[Text], depth: int) -> Text:
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

    def _op_argextremum(self, instruction: Apply, args: list[Text], depth: int) -> Text:
        return Text(f"_place_of_extreme({args[0].text}, {instruction.attribute('sense')!r})")

    def _op_cumargextremum(self, instruction: Apply, args: list[Text], depth: int) -> Text:
        sense, last = instruction.attribute("sense"), instruction.attribute("last")
        return Text(f"_places_of_extremes({args[0].text}, {sense!r}, {last!r})")

    def _op_order(self, instruction: Apply, args: list[Text], depth: int) -> Text:
        static: dict[str, Any] = dict(instruction.attributes)
        descending, last = static.get("descending", False), static.get("last", False)
        return Text(f"_sorted_places({args[0].text}, {descending!r}, {last!r})")

    def _op_gather(self, instruction: Apply, args: list[Text], depth: int) -> Text:
        self.gathers.setdefault(instruction.args[1].name, []).append(args[0].text)
        return Text(f"_picked({args[0].text}, {args[1].text})")

    def _op_scatter(self, instruction: Apply, args: list[Text], depth: int) -> Text:
        terms, places = args[0].text, args[1].text
        maker = self.instructions.get(instruction.args[1].name)
        if self.choosing and isinstance(maker, Apply) and maker.op in _PLACES:
            keys, name = self._text(maker.args[0]).text, maker.out.name
            read = f"[{', '.join(self.gathers.get(name, []))}]"
            places = {
                "order": f"choose.order({name!r}, {keys}, {places}, {terms})",
                "argextremum": f"choose.place({name!r}, {keys}, {places}, {terms}, {read})",
                "cumargextremum": f"choose.places({name!r}, {keys}, {places}, {terms}, {read})",
            }[maker.op]
        return Text(f"_spread({terms}, {places}, {instruction.attribute('size')})")

    def _op_logsumexp(self, instruction: Apply, args: list[Text], depth: int) -> Text:
        self.wide.add(instruction.out.name)
        return Text(f"_logsumexp_of({args[0].text})")

    def _op_norm2(self, instruction: Apply, args: list[Text], depth: int) -> Text:
        self.wide.add(instruction.out.name)
        return Text(f"_norm_of({args[0].text})")
