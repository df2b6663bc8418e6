"""f, grad and a point to a report: is this vector the gradient, a Clarke subgradient at a kink, or neither?

A vector g is in the Clarke subdifferential at x exactly if <g, d> <= f°(x; d) for every direction d, where f°(x; d) is
the limsup of the slopes of f along d near x; and it is the convex hull of the limits of gradients near x (Clarke 1983,
"Optimization and Nonsmooth Analysis", 2.1 and 2.5.1). So there are two ways to an answer:

1. slopes at x, forwards along many directions (`local`). If they are those of one linear map, f looks differentiable
   at x, and a g that is this map is accepted. If f jumps, or slopes grow without bound, nothing is decided;
2. gradients and slopes near x (`kinks`). A g in the hull of the gradients seen is accepted at a kink. Otherwise the
   direction d from the nearest point of the hull to g is searched for gradients and slopes that reach as far as <g, d>.
   They widen the hull; if there are none, g is rejected, with d.

What was seen is less than what there is: the largest slope seen is a lower bound of f°. A cell that is thinner than
any curve that `nearby` follows, or a cone so narrow that the search of `steepest` misses it, is not seen, and a g that
only this cell would justify is rejected though it is right. At a kink, entries are compared to 1e-4 of the largest
slope (more if f is noisy), and not each to its own size.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from cfcompiler.gradient_check.callables import black_box
from cfcompiler.gradient_check.kinks import TROUBLES, judge_at_a_kink
from cfcompiler.gradient_check.local import look
from cfcompiler.gradient_check.slopes import measure_noise
from cfcompiler.gradient_check.verdicts import ACCEPTED, REJECTED, UNDECIDED, GradcheckReport, report

SEED = 20240229


def gradcheck(f: Callable[..., Any], grad: Callable[..., Any], x: Any) -> GradcheckReport:
    """Checks a gradient at a point, kinks included.

    f: called as `f(x)`, or as `f(*x)` if x is a tuple; returns one real number.
    grad: called in the same way; returns an array of the shape of x, or a tuple of them if x is a tuple.
    x: a number, an array of any shape, or a tuple of these. Whole numbers are turned into floats; float32 is kept.

    The report is true for "accepted" and for "accepted at a kink". It is made of finitely many values of f, in
    floats: a kink within about 1e-6 of the point (of |x| where that exceeds 1) may count as one at the point, and a
    vector that only gradients in a very thin cell would justify is rejected (see the module's docstring). The same
    arguments give the same report. Where the gradient agrees it takes some 26 values of f for each entry of x and 600
    more; where it does not, ten thousand or more.

    Raises ValueError where the gradient has not the shape of x, f returns no single real number, or x is not finite;
    and what f and grad raise at the point itself.
    """
    box = black_box(f, grad, x)
    origin = np.zeros(box.size)
    gradient = box.checked_gradient(origin)
    start = box.checked_value(origin)
    if not np.isfinite(start):
        return report(box, gradient, UNDECIDED, f"f itself is {start} here")
    random = np.random.default_rng(SEED)
    noise = measure_noise(box, random)
    local = look(box, start, noise, gradient, random)
    if local.trouble is not None:
        return report(box, gradient, UNDECIDED, TROUBLES[local.trouble[0]])
    central = local.central
    if not np.isfinite(gradient).all():
        place = int(np.flatnonzero(~np.isfinite(gradient))[0])
        reason = f"entry {place} of the gradient is {gradient[place]}, while f has finite slopes here"
        return report(box, gradient, REJECTED, reason, central=central)
    if local.noisy:
        reason = (
            f"f is too noisy for its slopes to be known: its values are off by some {noise.of(start):.1g}"
        )
        return report(box, gradient, UNDECIDED, reason, central=central)
    if local.settled and local.bent() is None and (np.abs(gradient - central) <= local.allowed).all():
        tolerance = float(np.max(local.allowed / box.scale))
        reason = (
            "f looks differentiable here, and the vector agrees with its slopes along all directions tried "
            f"to within {tolerance:.1g}"
        )
        return report(box, gradient, ACCEPTED, reason, central=central)
    return judge_at_a_kink(local, random)
