"""Calls that write into buffers: virtual registers to few scratch buffers, by linear scan, and to lines of Python.

A call has a text with holes, operands, and the register it writes. Registers are real (a float64 buffer, with a view
of its bits) or truth (a bool buffer, with a view of its bytes). An operand that is no register is a name that exists
already: an input, a constant, a result, a local variable. A buffer is free again after the last call that reads it,
and the call itself may write where its last reader was: every text with `out=` is elementwise.

Source: Poletto & Sarkar 1999, linear scan register allocation, without spilling.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from cfcompiler.source import NOWHERE, Source, Span

Memory: TypeAlias = Literal["real", "truth"]
_LETTERS: dict[Memory, str] = {"real": "t", "truth": "q"}
View: TypeAlias = Literal["plain", "raw"]  # raw: int64 bits of a real, int8 bytes of a truth


Shape: TypeAlias = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Register:
    """A value that lives in a scratch buffer, or in a result once it is claimed for one.

    shape: None for one number a point, in block code.
    """

    number: int
    memory: Memory
    shape: Shape | None = None


@dataclass(frozen=True, slots=True)
class Name:
    """A value that has a name already; `raw` is the text of its raw view. fixed: from the start of the function."""

    plain: str
    raw: str
    fixed: bool = False


@dataclass(frozen=True, slots=True)
class Derived:
    """A view of another value, made where it is used: `text` over {0}."""

    base: Register | Name
    text: str


Operand: TypeAlias = Register | Name | Derived


def base_of(operand: Operand) -> Register | Name:
    return operand.base if isinstance(operand, Derived) else operand


@dataclass(frozen=True, slots=True)
class Use:
    operand: Operand
    view: View = "plain"


@dataclass(frozen=True, slots=True)
class Call:
    """`text` with {0}, {1}, ... for the operands and {out}; `out` is None where the call defines a local name.

    elementwise: it may write where a register that it reads for the last time was.
    """

    text: str
    uses: tuple[Use, ...]
    out: Use | None
    span: Span = NOWHERE
    elementwise: bool = True


@dataclass(slots=True)
class Calls:
    """Calls in order, with fresh registers."""

    calls: list[Call] = field(default_factory=list)
    registers: int = 0
    span: Span = NOWHERE  # of the instruction that is being lowered

    def register(self, memory: Memory, shape: Shape | None = None) -> Register:
        self.registers += 1
        return Register(self.registers, memory, shape)

    def ufunc(
        self,
        name: str,
        *uses: Use | Operand,
        memory: Memory = "real",
        raw: bool = False,
        shape: Shape | None = None,
    ) -> Register:
        """out = np.name(*uses) in a fresh register (its raw view if `raw`)."""
        out = self.register(memory, shape)
        operands = tuple(use if isinstance(use, Use) else Use(use) for use in uses)
        holes = ", ".join(f"{{{index}}}" for index in range(len(operands)))
        target = Use(out, "raw" if raw else "plain")
        self.calls.append(Call(f"np.{name}({holes}, out={{out}})", operands, target, self.span))
        return out

    def line(self, text: str, *uses: Use | Operand) -> None:
        """A line of its own that defines a name, or writes where no register is."""
        operands = tuple(use if isinstance(use, Use) else Use(use) for use in uses)
        self.calls.append(Call(text, operands, None, self.span))


@dataclass(frozen=True, slots=True)
class Layout:
    """Lines of a function body, and how many buffers of each memory they need."""

    lines: tuple[str, ...]
    reals: int
    truths: int
    raw_names: tuple[str, ...]  # names whose raw view is read
    buffers: tuple[tuple[str, Shape | None], ...]  # name and shape of each, reals first


def gathered(calls: list[Call]) -> list[Call]:
    """The same calls, each that frees more buffers than it takes as early as its operands are there.

    What comes of it: the terms of a cotangent are added up as they arise, not kept for its end.
    """
    last = {use.operand: place for place, call in enumerate(calls) for use in call.uses}
    ready: dict[Operand, int] = {}
    places: list[int] = []
    for place, call in enumerate(calls):
        operands = {use.operand for use in call.uses}
        early = place
        if call.out is not None and all(
            isinstance(operand, Register) or (isinstance(operand, Name) and operand.fixed)
            for operand in operands
        ):
            dying = [
                operand for operand in operands if isinstance(operand, Register) and last[operand] == place
            ]
            if len(dying) > 1:
                early = max(ready[operand] for operand in operands if isinstance(operand, Register))
        if call.out is not None:
            ready[call.out.operand] = early
        places.append(early)
    order = sorted(range(len(calls)), key=lambda place: (places[place], place))
    return [calls[place] for place in order]


def allocate(calls: list[Call], claimed: dict[Register, Name], source: Source) -> Layout:
    """The text of `calls`; registers in `claimed` are results and need no buffer."""
    last: dict[Operand, int] = {
        base_of(use.operand): place for place, call in enumerate(calls) for use in call.uses
    }
    scan = _Scan(claimed, last)
    lines: list[str] = []
    line_number = 0
    for place, call in enumerate(calls):
        if call.span.line not in (0, line_number):
            line_number = call.span.line
            lines.append(f"# {source.line(line_number).strip()}")
        texts = [scan.text(use) for use in call.uses]
        if call.elementwise:
            scan.release(call, place)
        out = scan.text(call.out) if call.out is not None else ""
        if not call.elementwise:
            scan.release(call, place)
        if call.out is not None and call.out.operand not in last:
            scan.free(call.out.operand)
        lines.append(call.text.format(*texts, out=out))
    buffers = tuple(
        (name, shape) for letter in "tq" for name, shape in scan.buffers if name.startswith(letter)
    )
    return Layout(tuple(lines), scan.counts["real"], scan.counts["truth"], tuple(scan.raw_names), buffers)


class _Scan:
    """Which buffer each register is in."""

    def __init__(self, claimed: dict[Register, Name], last: dict[Operand, int]) -> None:
        self.claimed = claimed
        self.last = last
        self.places: dict[Register, int] = {}
        self.idle: dict[tuple[Memory, Shape | None], list[int]] = {}
        self.buffers: list[tuple[str, Shape | None]] = []
        self.counts: dict[Memory, int] = {"real": 0, "truth": 0}
        self.raw_names: dict[str, None] = {}

    def text(self, use: Use) -> str:
        if isinstance(use.operand, Derived):
            return use.operand.text.format(self.text(Use(use.operand.base, use.view)))
        operand = use.operand
        if isinstance(operand, Register) and operand in self.claimed:
            operand = self.claimed[operand]
        if isinstance(operand, Name):
            if use.view == "raw":
                self.raw_names[operand.plain] = None
            return operand.raw if use.view == "raw" else operand.plain
        if operand not in self.places:
            self.places[operand] = self._take(operand)
        return f"{_LETTERS[operand.memory]}{self.places[operand]}" + ("r" if use.view == "raw" else "")

    def _take(self, register: Register) -> int:
        idle = self.idle.get((register.memory, register.shape))
        if idle:
            return idle.pop()
        place = self.counts[register.memory]
        self.counts[register.memory] += 1
        self.buffers.append((f"{_LETTERS[register.memory]}{place}", register.shape))
        return place

    def release(self, call: Call, place: int) -> None:
        for operand in {base_of(use.operand): None for use in call.uses}:
            if self.last[operand] == place:
                self.free(operand)

    def free(self, operand: Operand) -> None:
        if isinstance(operand, Register) and operand in self.places:
            self.idle.setdefault((operand.memory, operand.shape), []).append(self.places[operand])
