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
View: TypeAlias = Literal["plain", "raw"]  # raw: int64 bits of a real, int8 bytes of a truth


@dataclass(frozen=True, slots=True)
class Register:
    """A value that lives in a scratch buffer, or in a result once it is claimed for one."""

    number: int
    memory: Memory


@dataclass(frozen=True, slots=True)
class Name:
    """A value that has a name already; `raw` is the text of its raw view. fixed: from the start of the function."""

    plain: str
    raw: str
    fixed: bool = False


Operand: TypeAlias = Register | Name


@dataclass(frozen=True, slots=True)
class Use:
    operand: Operand
    view: View = "plain"


@dataclass(frozen=True, slots=True)
class Call:
    """`text` with {0}, {1}, ... for the operands and {out}; `out` is None where the call defines a local name."""

    text: str
    uses: tuple[Use, ...]
    out: Use | None
    span: Span = NOWHERE


@dataclass(slots=True)
class Calls:
    """Calls in order, with fresh registers."""

    calls: list[Call] = field(default_factory=list)
    registers: int = 0

    def register(self, memory: Memory) -> Register:
        self.registers += 1
        return Register(self.registers, memory)

    def ufunc(self, name: str, *uses: Use | Operand, memory: Memory = "real", raw: bool = False, span: Span) -> Register:
        """out = np.name(*uses) in a fresh register (its raw view if `raw`)."""
        out = self.register(memory)
        operands = tuple(use if isinstance(use, Use) else Use(use) for use in uses)
        holes = ", ".join(f"{{{index}}}" for index in range(len(operands)))
        target = Use(out, "raw" if raw else "plain")
        self.calls.append(Call(f"np.{name}({holes}, out={{out}})", operands, target, span))
        return out

    def line(self, text: str, *uses: Use | Operand, span: Span) -> None:
        """A line of its own that defines a name, or writes where no register is."""
        operands = tuple(use if isinstance(use, Use) else Use(use) for use in uses)
        self.calls.append(Call(text, operands, None, span))


@dataclass(frozen=True, slots=True)
class Layout:
    """Lines of a function body, and how many buffers of each memory they need."""

    lines: tuple[str, ...]
    reals: int
    truths: int
    raw_names: tuple[str, ...]  # names whose raw view is read


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
        if call.out is not None and all(isinstance(operand, Register) or operand.fixed for operand in operands):
            dying = [operand for operand in operands if isinstance(operand, Register) and last[operand] == place]
            if len(dying) > 1:
                early = max(ready[operand] for operand in operands if isinstance(operand, Register))
        if call.out is not None:
            ready[call.out.operand] = early
        places.append(early)
    order = sorted(range(len(calls)), key=lambda place: (places[place], place))
    return [calls[place] for place in order]


def allocate(calls: list[Call], claimed: dict[Register, Name], source: Source) -> Layout:
    """The text of `calls`; registers in `claimed` are results and need no buffer."""
    last = {use.operand: place for place, call in enumerate(calls) for use in call.uses}
    scan = _Scan(claimed, last)
    lines: list[str] = []
    line_number = 0
    for place, call in enumerate(calls):
        if call.span.line not in (0, line_number):
            line_number = call.span.line
            lines.append(f"# {source.line(line_number).strip()}")
        texts = [scan.text(use) for use in call.uses]
        scan.release(call, place)
        out = scan.text(call.out) if call.out is not None else ""
        if call.out is not None and call.out.operand not in last:
            scan.free(call.out.operand)
        lines.append(call.text.format(*texts, out=out))
    return Layout(tuple(lines), scan.counts["real"], scan.counts["truth"], tuple(scan.raw_names))


class _Scan:
    """Which buffer each register is in."""

    def __init__(self, claimed: dict[Register, Name], last: dict[Operand, int]) -> None:
        self.claimed = claimed
        self.last = last
        self.places: dict[Register, int] = {}
        self.idle: dict[Memory, list[int]] = {"real": [], "truth": []}
        self.counts: dict[Memory, int] = {"real": 0, "truth": 0}
        self.raw_names: dict[str, None] = {}

    def text(self, use: Use) -> str:
        operand = use.operand
        if isinstance(operand, Register) and operand in self.claimed:
            operand = self.claimed[operand]
        if isinstance(operand, Name):
            if use.view == "raw":
                self.raw_names[operand.plain] = None
            return operand.raw if use.view == "raw" else operand.plain
        if operand not in self.places:
            self.places[operand] = self._take(operand.memory)
        letter = "t" if operand.memory == "real" else "q"
        return f"{letter}{self.places[operand]}" + ("r" if use.view == "raw" else "")

    def _take(self, memory: Memory) -> int:
        if self.idle[memory]:
            return self.idle[memory].pop()
        self.counts[memory] += 1
        return self.counts[memory] - 1

    def release(self, call: Call, place: int) -> None:
        for operand in {use.operand: None for use in call.uses}:
            if self.last[operand] == place:
                self.free(operand)

    def free(self, operand: Operand) -> None:
        if isinstance(operand, Register) and operand in self.places:
            self.idle[operand.memory].append(self.places[operand])
