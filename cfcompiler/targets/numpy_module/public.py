"""The functions of a generated module that its user calls: which tier answers, and in which form.

def value(x, y, *, out=None):
    if type(x) is float and type(y) is float and out is None:     one point: plain floats
        ...
    lead, inputs = _inputs(...)                                   anything else: checked, converted
    if not lead and out is None:
        return _at_point(_value_point, ...)
    return ... _sweep(_VALUE, inputs, ...)                        many points: blocks
"""

from __future__ import annotations

from collections.abc import Sequence

from cfcompiler.ir import Shape
from cfcompiler.targets.numpy_module.interface import Interface, sequence_text, tuple_text
from cfcompiler.targets.numpy_module.lexicographic_text import lexicographic_lines

LONGEST = 100  # characters of a line


def returned(interface: Interface, stage: str) -> int:
    """How many of the results of a stage's program come first as the value."""
    return len(interface.results) if stage in ("value", "gradient", "jvp") else 0


def point_results(interface: Interface, stage: str, texts: Sequence[str]) -> str:
    """What the function of a stage for single points returns."""
    split = returned(interface, stage)
    if stage in ("lexicographic", "along"):
        return f"{tuple_text(texts[:-1])}, {texts[-1]}"
    head, tail = texts[:split], texts[split:]
    if stage == "value" or not split:
        return tuple_text(texts)
    return f"{tuple_text(head)}, {tuple_text(tail)}"


def public_lines(interface: Interface) -> list[str]:
    """The text of value, jvp, vjp, grad, value_and_grad, signature, field and, in order 2, hvp, hessian."""
    writer = _Writer(interface)
    blocks = [
        writer.value(),
        writer.value_and_grad(),
        writer.grad(),
        writer.lexicographic(),
        writer.jvp(),
        writer.vjp(),
        writer.signature(),
        writer.field(),
    ]
    if interface.order == 2:
        blocks.extend((writer.hvp(), writer.hessian()))
    lines: list[str] = []
    for block in blocks:
        lines.extend(["", "", *block])
    return lines[2:]


class _Writer:
    def __init__(self, interface: Interface) -> None:
        self.interface = interface
        self.params = [name for name, _ in interface.inputs]
        self.moving = [self.params[place] for place in interface.moving]

    # pieces

    def _fast(self, function: str, arguments: Sequence[tuple[str, Shape]], extra: str = "") -> list[str]:
        """The way of plain floats and of arrays of exactly the input's shape."""
        if not self.interface.points:
            return []
        tests, texts = [], []
        for name, shape in arguments:
            if not shape:
                tests.append(f"type({name}) is float")
                texts.append(name)
            else:
                tests.append(
                    f"type({name}) is ndarray and {name}.shape == {shape} and {name}.dtype is FLOAT64"
                )
                texts.append(f"{name}.tolist()")
        if extra:
            tests.append(extra)
        call = ", ".join(texts)
        return [
            *_condition_lines(tests),
            "        try:",
            f"            return {function}({call})",
            "        except (ArithmeticError, ValueError):",
            f"            return _ieee({', '.join([function, *texts])})",
        ]

    def _read(self, names: str, shapes: str, values: str) -> str:
        return f"    lead, arrays = _inputs({names}, {shapes}, {values})"

    def _slow(self, function: str, guard: str = "not lead") -> list[str]:
        if not self.interface.points:
            return []
        return [
            f"    if {guard}:",
            f"        return _at_point({function}, [array.tolist() for array in arrays])",
        ]

    def _checked(self) -> list[str]:
        """Assertions at many points; those of a single point, and of a tape, are where they are computed."""
        if not self.interface.checks or self.interface.on_tape:
            return []
        return [f"    _check_results(_sweep(_CHECKS, arrays[:{len(self.params)}]), _CHECK_TEXTS)"]

    def _many(self, plan: str, out: str = "") -> str:
        """The call that answers for many points: a plan is swept in blocks, a tape by its function for a point."""
        if self.interface.on_tape:
            plan = f"{plan.lower()}_point"
        sweep = "_sweep_tape" if self.interface.on_tape else "_sweep"
        call = f"{sweep}({plan}, arrays{f', {out}' if out else ''})"
        return call if self.interface.points else f"_numbers_of({call}, {out or None})"

    def _own(self) -> list[tuple[str, Shape]]:
        return list(self.interface.inputs)

    def _described(self) -> str:
        return f"{self.interface.name}({', '.join(self.params)})"

    def _parameters(self, *more: str) -> str:
        return ", ".join([*self.params, *more])

    def _split(self, source: str, counts: tuple[int, int]) -> list[str]:
        """The two groups of a list of results, each in the form in which it is returned."""
        first, second = counts
        head = f"{source}[0]" if first == 1 else f"tuple({source}[:{first}])"
        tail = f"{source}[{first}]" if second == 1 else f"tuple({source}[{first}:])"
        return [head, tail]

    def _whole(self, source: str, count: int) -> str:
        return f"{source}[0]" if count == 1 else f"tuple({source})"

    # functions

    def value(self) -> list[str]:
        count = len(self.interface.results)
        return [
            f"def value({self._parameters('*', 'out=None')}):",
            f'    """{self._described()}. out: an array to write to, or one for each result."""',
            *self._fast("_value_point", self._own(), "out is None"),
            self._read("_NAMES", "_SHAPES", sequence_text(self.params)),
            *self._slow("_value_point", "not lead and out is None"),
            "    if out is not None:",
            f"        out = _targets(lead, _RESULTS, _RESULT_SHAPES, {self._out('out', count)})",
            *self._checked(),
            f"    found = {self._many('_VALUE', 'out')}",
            f"    return {self._whole('found', count)}",
        ]

    def _out(self, name: str, count: int) -> str:
        return f"[{name}]" if count == 1 else f'_sequence("out", {name}, {count})'

    def _needs_scalar(self, name: str, parameters: str | None = None) -> list[str]:
        results = self.interface.results
        what = f"{len(results)} results" if len(results) != 1 else f"a result of shape {results[0][1]}"
        return [
            f"def {name}({self._parameters() if parameters is None else parameters}):",
            f'    """There is none: {self.interface.name} has {what}."""',
            f'    raise TypeError("{self.interface.name} has {what}, and so no gradient: use vjp or jvp")',
        ]

    def value_and_grad(self) -> list[str]:
        if not self.interface.scalar:
            return self._needs_scalar("value_and_grad")
        count = len(self.moving)
        gradient = f'_sequence("out", out[1], {count})' if count != 1 else "[out[1]]"
        return [
            f"def value_and_grad({self._parameters('*', 'out=None')}):",
            f'    """{self._described()} and its gradient, by the backward program. out: (array, gradient) to write to."""',
            *self._fast("_gradient_point", self._own(), "out is None"),
            self._read("_NAMES", "_SHAPES", sequence_text(self.params)),
            *self._slow("_gradient_point", "not lead and out is None"),
            "    if out is not None:",
            f'        out = [_sequence("out", out, 2)[0], *{gradient}]',
            "        out = _targets(lead, _RESULTS + _MOVING, _RESULT_SHAPES + _MOVING_SHAPES, out)",
            *self._checked(),
            f"    found = {self._many('_GRADIENT', 'out')}",
            f"    return {', '.join(self._split('found', (1, count)))}",
        ]

    def grad(self) -> list[str]:
        if not self.interface.scalar:
            return self._needs_scalar("grad")
        return [
            f"def grad({self._parameters()}):",
            f'    """The gradient of {self._described()}, by the backward program."""',
            f"    return value_and_grad({self._parameters()})[1]",
        ]

    def lexicographic(self) -> list[str]:
        if not self.interface.scalar:
            return self._needs_scalar("lexicographic")
        read = self._read("_NAMES", "_SHAPES", sequence_text(self.params))
        return lexicographic_lines(self.interface, self._described(), read)

    def jvp(self) -> list[str]:
        count = len(self.interface.results)
        tangents = self.interface.tangents()
        names = [name for name, _ in tangents]
        fast: list[str] = []
        sizes = f"(len(primals), len(tangents)) == ({len(self.params)}, {len(names)})"
        if self.interface.points and self.params and names:
            fast = [
                f"    if type(primals) is type(tangents) is tuple and {sizes}:",
                f"        {_targets_text(self.params)} = primals",
                f"        {_targets_text(names)} = tangents",
                *(f"    {line}" for line in self._fast("_jvp_point", [*self._own(), *tangents])),
            ]
        what = f"{self.interface.name} and its derivative along the tangents, by the forward program"
        head = ["def jvp(primals, tangents):", f'    """{what}."""']
        if self.interface.one_mode and names:
            head = [
                "def jvp(primals, tangents):",
                f'    """{what}: the backward one where inf or NaN is met."""',
                "    value, along = _forward(primals, tangents)",
                "    shapes = _SHAPES, _MOVING_SHAPES, _RESULT_SHAPES",
                "    return value, _as_backward(along, vjp, (primals, tangents), shapes)",
                "",
                "",
                "def _forward(primals, tangents):",
            ]
        return [
            *head,
            *fast,
            f'    primals = _sequence("primals", primals, {len(self.params)})',
            f'    tangents = _sequence("tangents", tangents, {len(names)})',
            self._read("_NAMES + _TANGENTS", "_SHAPES + _MOVING_SHAPES", "(*primals, *tangents)"),
            *self._slow("_jvp_point"),
            *self._checked(),
            f"    found = {self._many('_JVP')}",
            f"    return {', '.join(self._split('found', (count, count)))}",
        ]

    def vjp(self) -> list[str]:
        count = len(self.interface.results)
        texts = "cotangent" if count == 1 else f'_sequence("cotangent", cotangent, {count})'
        fast: list[str] = []
        if self.interface.points and count == 1:
            shape = self.interface.results[0][1]
            fast = self._fast("_vjp_point", [*self._own(), ("cotangent", shape)])
        values = f"({', '.join([*self.params, texts if count == 1 else f'*{texts}'])},)"
        return [
            f"def vjp({self._parameters()}):",
            f'    """{self._described()}, and the function that pulls a cotangent of it back to the inputs."""',
            "",
            "    def pullback(cotangent):",
            *(f"    {line}" for line in fast),
            "    " + self._read("_NAMES + _COTANGENTS", "_SHAPES + _RESULT_SHAPES", values),
            *(f"    {line}" for line in self._slow("_vjp_point")),
            *(f"    {line}" for line in self._checked()),
            f"        found = {self._many('_VJP')}",
            f"        return {self._whole('found', len(self.moving))}",
            "",
            f"    return value({self._parameters()}), pullback",
        ]

    def signature(self) -> list[str]:
        lines = [
            f"def signature({self._parameters()}):",
            '    """The sign of every guard, in the order of GUARDS: 2 where NaN is compared, -128 where it is not reached."""',
            self._read("_NAMES", "_SHAPES", sequence_text(self.params)),
        ]
        if not self.interface.guarded:
            return [*lines, "    return np.empty((*lead, 0), dtype=np.int8)"]
        if self.interface.points:
            lines += [
                "    if not lead:",
                "        signs = _at_point(_signature_point, [array.tolist() for array in arrays])",
                "        return np.array(signs, dtype=np.int8)",
            ]
        return [
            *lines,
            *self._checked(),
            f"    found = {self._many('_SIGNATURE')}",
            "    flat = [np.broadcast_to(sign, (*lead, *sign.shape[len(lead) :])).reshape((*lead, -1)) for sign in found]",
            "    return np.concatenate([np.empty((*lead, 0)), *flat], axis=-1).astype(np.int8)",
        ]

    def field(self) -> list[str]:
        if not self.interface.points:
            return [
                f"def field({self._parameters()}):",
                '    """Not to be had from this module: the arrays are too large to try their choices one by one."""',
                f'    raise ValueError("field: {self.interface.name} has large arrays: see `cfc at`")',
            ]
        more = "" if self.interface.scalar else ", for each entry of the results"
        return [
            f"def field({self._parameters()}):",
            '    """The vertices of D at one point: a row for each combination of choices at the ties, without repeats.',
            "",
            f"    A row has the derivatives by all entries of the differentiable inputs, one input after the other{more}.",
            "    A branch that is tied but not taken counts where the value is the same: `cfc at` decides it exactly.",
            "    Raises ValueError above 2**16 combinations.",
            '    """',
            self._read("_NAMES", "_SHAPES", sequence_text(self.params)),
            "    if lead:",
            '        raise ValueError(f"field takes one point, not a batch of shape {lead}")',
            "    return _field_point(_choices_point, [array.tolist() for array in arrays], _RESULT_SHAPES)",
        ]

    def hvp(self) -> list[str]:
        if not self.interface.scalar:
            return self._needs_scalar("hvp", "primals, direction")
        names = self.interface.tangents()
        return [
            "def hvp(primals, direction):",
            f'    """The derivative of the gradient of {self.interface.name} along `direction`."""',
            f'    primals = _sequence("primals", primals, {len(self.params)})',
            f'    direction = _sequence("direction", direction, {len(names)})',
            self._read("_NAMES + _TANGENTS", "_SHAPES + _MOVING_SHAPES", "(*primals, *direction)"),
            *self._slow("_hvp_point"),
            *self._checked(),
            f"    found = {self._many('_HVP')}",
            f"    return {self._whole('found', len(self.moving))}",
        ]

    def hessian(self) -> list[str]:
        if not self.interface.scalar:
            return self._needs_scalar("hessian")
        return [
            f"def hessian({self._parameters()}):",
            '    """The matrix of second derivatives by all entries of the differentiable inputs, one after the other."""',
            self._read("_NAMES", "_SHAPES", sequence_text(self.params)),
            "    cuts = np.cumsum([0, *(math.prod(shape) for shape in _MOVING_SHAPES)])",
            "    columns = []",
            "    for unit in np.eye(cuts[-1]):",
            "        parts = [unit[a:b].reshape(shape) for a, b, shape in zip(cuts, cuts[1:], _MOVING_SHAPES)]",
            f"        column = {'[hvp(arrays, parts)]' if len(self.moving) == 1 else 'hvp(arrays, parts)'}",
            "        columns.append(np.concatenate([np.reshape(c, (*lead, -1)) for c in column], axis=-1))",
            "    return np.stack(columns, axis=-1) if columns else np.empty((*lead, 0, 0))",
        ]


def _condition_lines(tests: Sequence[str]) -> list[str]:
    """`if a and b:`, where that is long on several lines."""
    short = f"    if {' and '.join(tests) or 'True'}:"
    if len(short) <= LONGEST:
        return [short]
    lines = [f"        {tests[0]}"]
    for test in tests[1:]:
        if len(f"{lines[-1]} and {test}") <= LONGEST:
            lines[-1] += f" and {test}"
        else:
            lines.append(f"        and {test}")
    return ["    if (", *lines, "    ):"]


def _targets_text(names: Sequence[str]) -> str:
    return f"{names[0]}," if len(names) == 1 else ", ".join(names)
