"""What a kind of step gives backward to how it is made of the cotangent c, so that many kinds share one call.

    c                                    pass      nothing to do
    -c                                   minus
    c * w, -c * w                        times     one product, if w does not depend on c
    weigh left right c, select           masked    c or 0.0: weights of 0 and 1 alone; also where(guard, c, 0.0)
                                         gated     c * w where the weight is not 0, else 0.0

The weight w is what the share is at c = 1, and often just an argument, or one function of NumPy. Anything else has no
form.
"""

from __future__ import annotations

from collections.abc import Sequence

from cfcompiler.arithmetic import nearest_float
from cfcompiler.ir import Apply, Instruction, Kink, Program, Select, Value
from cfcompiler.primitives import TABLE
from cfcompiler.verify import arguments

# In which of the cases below, tie, above and unordered a comparison holds.
_HOLDS: dict[tuple[int, ...], str] = {
    (1, 0, 0, 0): "less",
    (1, 1, 0, 0): "less_equal",
    (0, 0, 1, 0): "greater",
    (0, 1, 1, 0): "greater_equal",
    (0, 1, 0, 0): "equal",
    (1, 0, 1, 1): "not_equal",
}


def shares_text(program: Program, looked_at: Sequence[Value]) -> str:
    """Of each result of the backward program of a kind: (form, which of `looked_at` is its weight or -1, what it is).

    The last is as `direct_text` says; of a mask with what the comparison is where c stays. The whole is None where a
    result has no form.
    """
    forms = _Forms(program, looked_at)
    texts = [forms.of(value) for value in program.results]
    return "None" if None in texts else f"({''.join(f'{text}, ' for text in texts)})"


class _Forms:
    def __init__(self, program: Program, looked_at: Sequence[Value]) -> None:
        self.looked_at = looked_at
        self.places = {value.name: place for place, value in enumerate(looked_at)}
        self.made = {instruction.out.name: instruction for instruction in program.instructions}
        self.moving = {"c"}  # what depends on c
        for instruction in program.instructions:
            if any(value.name in self.moving for value in arguments(instruction)):
                self.moving.add(instruction.out.name)

    def of(self, value: Value) -> str | None:
        if value.name == "c":
            return "('pass', -1, None)"
        match self.made.get(value.name):
            case Apply(op="neg", args=(Value(name="c"),)):
                return "('minus', -1, None)"
            case Apply(op="mul", args=(a, b)):
                return self._product(*((a, b) if a.name in self.moving else (b, a)))
            case Apply(op="weigh", args=(left, right, Value(name="c"))) as weighing:
                if {left.name, right.name} & self.moving:
                    return None
                return self._weighed(weighing)
            case Select(guard=guard, then=then, orelse=orelse, lazy=False) if guard.name not in self.moving:
                if "c" in (then.name, orelse.name) and self._is_zero(orelse if then.name == "c" else then):
                    return "('masked', -1, None)"
        return None

    def _product(self, c: Value, weight: Value) -> str | None:
        if weight.name in self.moving:
            return None
        if c.name == "c":
            place = self.places.get(weight.name, -1)
            return f"('times', {place}, {self._direct(weight) if place < 0 else None})"
        return "('times', -1, None)" if self.of(c) == "('minus', -1, None)" else None

    def _direct(self, weight: Value) -> str:
        instruction = self.made[weight.name]
        known = all(value.name in self.places for value in arguments(instruction))
        return direct_text(instruction, self.looked_at) if known else "None"

    def _weighed(self, weighing: Apply) -> str:
        weights = weighing.attribute("weights")
        if weighing.attribute("gate") == "mul":
            return "('times', -1, None)"
        if not all(weight in (0, 1) for weight in weights):
            return "('gated', -1, None)"
        sides = weighing.args[:2]
        for truth in (True, False):
            comparison = _HOLDS.get(tuple(int((weight == 1) == truth) for weight in weights))
            if comparison is not None and all(value.name in self.places for value in sides):
                places = tuple(self.places[value.name] for value in sides)
                return f"('masked', -1, (np.{comparison}, {places!r}, {truth}))"
        return "('masked', -1, None)"

    def _is_zero(self, value: Value) -> bool:
        match self.made.get(value.name):
            case Apply(op="constant") as constant:
                return nearest_float(constant.attribute("value")) == 0.0
        return False


def direct_text(instruction: Instruction, formal: Sequence[Value]) -> str:
    """The one function of NumPy that an instruction of numbers is, with the places of its arguments, as text; or None."""
    places = {value.name: place for place, value in enumerate(formal)}
    name, args = "", arguments(instruction)
    match instruction:
        case Kink(left=left, right=right, above=above, below=below):
            names = {(left.name, right.name): "maximum", (right.name, left.name): "minimum"}
            name, args = names.get((above.name, below.name), ""), (below, above)
        case Apply(op=op, attributes=()) if op in TABLE and TABLE[op].kind == "elementwise":
            name = TABLE[op].numpy
    if not name or name.startswith("_") or any(value.kind != "real" for value in args):
        return "None"
    return f"(np.{name}, {tuple(places[value.name] for value in args)!r})"
