"""Comparisons, their bit masks, and what is kept of a value under them: shared by block code and array code.

np.less_equal(x, K0, out=q0)               a truth, made once for its pair and comparison
np.subtract(q0r, ONE_BYTE, out=t1r)        its mask: all bits where it is false
np.bitwise_and(gr, t1r, out=t2r)           what is kept of g there: exact, no 0 * inf
np.bitwise_xor(gr, t2r, out=t3r)           the other half
"""

from __future__ import annotations

from collections.abc import Callable

from cfcompiler.ir import Value
from cfcompiler.primitives import TABLE
from cfcompiler.shapes import broadcast_shapes
from cfcompiler.targets.numpy_module.calls import Calls, Name, Operand, Register, Shape, Use
from cfcompiler.targets.numpy_module.constants import Constants

WINDOW = 12  # calls for which a mask is kept rather than made again from its truth


class Masks:
    """Adds to `calls`; `place` says where a value is. shaped: values have shapes of their own, else one number a point."""

    def __init__(
        self, calls: Calls, constants: Constants, place: Callable[[Value], Operand], *, shaped: bool
    ) -> None:
        self.calls = calls
        self.constants = constants
        self.place = place
        self.shaped = shaped
        self.truths: dict[tuple[str, str, str], Operand] = {}
        self.opposites: dict[Operand, Operand] = {}
        self.masks: dict[tuple[Operand, bool], tuple[Register, int]] = {}
        self.shares: dict[tuple[Operand, Operand], tuple[Operand, bool]] = {}
        self.sure: Operand | None = None  # where the choices so far are right by one comparison
        self.watched: set[tuple[str, str]] = set()

    def _shape(self, *shapes: Shape) -> Shape | None:
        return broadcast_shapes(*shapes) if self.shaped else None

    def truth(self, comparison: str, *args: Value) -> Operand:
        """A condition row."""
        key = (comparison, args[0].name, args[-1].name)
        if key not in self.truths:
            uses = [self.place(arg) for arg in args]
            shape = self._shape(*(arg.shape for arg in args))
            self.truths[key] = self.calls.ufunc(
                TABLE[comparison].numpy or comparison, *uses, memory="truth", shape=shape
            )
        return self.truths[key]

    def opposite(self, truth: Operand) -> Operand:
        if truth not in self.opposites:
            shape = truth.shape if isinstance(truth, Register) else None
            self.opposites[truth] = self.calls.ufunc("logical_not", truth, memory="truth", shape=shape)
        return self.opposites[truth]

    def mask(self, truth: Operand, positive: bool) -> Register:
        """All bits where `truth` is `positive`, else none."""
        place = len(self.calls.calls)
        found = self.masks.get((truth, positive))
        if found is not None and place - found[1] <= WINDOW:
            return found[0]
        shape = truth.shape if isinstance(truth, Register) else None
        if positive:
            mask = self.calls.ufunc("negative", Use(truth, "raw"), raw=True, shape=shape)
        else:
            one = self.constants.integer("ONE_BYTE", "np.array(1, dtype=np.int8)")
            mask = self.calls.ufunc(
                "subtract", Use(truth, "raw"), Name(one, one, fixed=True), raw=True, shape=shape
            )
        self.masks[truth, positive] = (mask, place)
        return mask

    def bits(self, name: str, one: Operand, other: Operand, shape: Shape) -> Register:
        """A ufunc on bits; `shape` is that of the value."""
        own = shape if self.shaped else None
        return self.calls.ufunc(name, Use(one, "raw"), Use(other, "raw"), raw=True, shape=own)

    def kept(self, truth: Operand, positive: bool, term: Operand, shape: Shape) -> Operand:
        """The term where truth is `positive`, else 0; the other half of an earlier share by exclusive or."""
        share = self.shares.get((term, truth))
        if share is not None:
            kept, sense = share
            return kept if sense == positive else self.bits("bitwise_xor", term, kept, shape)
        kept = self.bits("bitwise_and", term, self.mask(truth, positive), shape)
        self.shares[(term, truth)] = (kept, positive)
        return kept

    def blend(self, truth: Operand, one: Operand, other: Operand) -> Register:
        """one where truth, else other, for one number a point."""
        differing = self.bits("bitwise_xor", one, other, ())
        return self.bits(
            "bitwise_xor", self.bits("bitwise_and", differing, self.mask(truth, True), ()), other, ()
        )

    def watch(self, left: Value, right: Value) -> None:
        """Ask of the points that left and right differ; the others are open."""
        if (left.name, right.name) in self.watched:
            return
        self.watched.add((left.name, right.name))
        self.require(self._either("greater", "less", left, right))

    def watch_order(self, left: Value, right: Value) -> None:
        """Ask of the points that left and right can be compared."""
        if (left.name, right.name) not in self.watched:
            self.require(self._either("greater_equal", "less", left, right))

    def _either(self, one: str, other: str, left: Value, right: Value) -> Operand:
        truths = (self.truth(one, left, right), self.truth(other, left, right))
        return self.calls.ufunc("logical_or", *truths, memory="truth")

    def require(self, truth: Operand) -> None:
        """Points where `truth` does not hold are open."""
        if self.sure is not None:
            truth = self.calls.ufunc("logical_and", self.sure, truth, memory="truth")
        self.sure = truth
