"""What checkers of gradients say at kinks, beside what is true: python benchmarks/gradcheck_at_kinks.py.

A case is a function, a point, and a vector that a user's gradient returns there; away from the point it returns the
true gradient. The truth is whether the vector is in the Clarke subdifferential, known on paper. A checker that is not
installed is listed as missing.
"""

from __future__ import annotations

import argparse
import platform
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

from cfcompiler import gradcheck


@dataclass(frozen=True)
class Case:
    """The function and its gradient off the point take and return vectors."""

    name: str
    f: Callable[[Any], float]
    off: Callable[[Any], Any]
    x: tuple[float, ...]
    given: tuple[float, ...]
    truth: str

    @property
    def point(self) -> Any:
        return np.array(self.x)

    def gradient(self, x: Any) -> Any:
        return np.array(self.given) if np.array_equal(x, self.point) else np.asarray(self.off(x), dtype=float)


def relu(t: float) -> float:
    return max(t, 0.0)


def cusp_gradient(x: Any) -> Any:
    if x[1] <= 0:
        return np.zeros(2)
    return np.array([0.0, 1.0]) if x[1] < x[0] ** 2 else np.array([2 * x[0], 0.0])


def smooth(x: Any) -> float:
    return float(np.sin(x[0]) * np.exp(x[1]))


def smooth_gradient(x: Any) -> Any:
    return np.exp(x[1]) * np.array([np.cos(x[0]), np.sin(x[0])])


RIGHT, WRONG = "right", "wrong"
SMOOTH = smooth_gradient(np.array([0.3, 0.7]))
HEAVISIDE = lambda x: [float(x[0] > 0)]  # noqa: E731
MAX = (lambda x: max(x[0], x[1]), lambda x: [float(x[0] > x[1]), float(x[0] <= x[1])], (0.3, 0.3))
CUSP = (lambda x: max(0.0, min(x[1], x[0] ** 2)), cusp_gradient, (0.0, 0.0))
CASES = (
    Case("sin(x) exp(y), its gradient", smooth, smooth_gradient, (0.3, 0.7), tuple(SMOOTH), RIGHT),
    Case("the same, off by 1e-3", smooth, lambda x: 1.001 * smooth_gradient(x), (0.3, 0.7), tuple(1.001 * SMOOTH),
         WRONG),
    Case("relu at 0: 0", lambda x: relu(x[0]), HEAVISIDE, (0.0,), (0.0,), RIGHT),
    Case("relu at 0: 1/2", lambda x: relu(x[0]), HEAVISIDE, (0.0,), (0.5,), RIGHT),
    Case("relu at 0: 1", lambda x: relu(x[0]), HEAVISIDE, (0.0,), (1.0,), RIGHT),
    Case("relu at 0: 2", lambda x: relu(x[0]), HEAVISIDE, (0.0,), (2.0,), WRONG),
    Case("abs at 0: 1", lambda x: abs(x[0]), lambda x: np.sign(x), (0.0,), (1.0,), RIGHT),
    Case("relu(x) - relu(-x) at 0: 0", lambda x: relu(x[0]) - relu(-x[0]), lambda x: [1.0], (0.0,), (0.0,), WRONG),
    Case("max at a tie: (1, 0)", *MAX, (1.0, 0.0), RIGHT),
    Case("max at a tie: (1/2, 1/2)", *MAX, (0.5, 0.5), RIGHT),
    Case("max at a tie: (1, 1)", *MAX, (1.0, 1.0), WRONG),
    Case("\\|x\\| - \\|y\\| at 0: (1, 1)", lambda x: abs(x[0]) - abs(x[1]), lambda x: [np.sign(x[0]), -np.sign(x[1])],
         (0.0, 0.0), (1.0, 1.0), RIGHT),
    Case("max(x, y) - y/2 - x/2 at a tie: 0", lambda x: abs(x[0] - x[1]) / 2,
         lambda x: np.sign(x[0] - x[1]) * np.array([0.5, -0.5]), (1.0, 1.0), (0.0, 0.0), RIGHT),
    Case("max(x, 2x) - \\|x\\|/2 at 0: 1", lambda x: max(x[0], 2 * x[0]) - abs(x[0]) / 2, lambda x: [1.5], (0.0,),
         (1.0,), WRONG),
    Case("max(0, min(y, x^2)) at 0: (0, 1)", *CUSP, (0.0, 1.0), RIGHT),
    Case("max(0, min(y, x^2)) at 0: (1, 0)", *CUSP, (1.0, 0.0), WRONG),
)  # fmt: skip


def by_cfcompiler(case: Case) -> str:
    return gradcheck(case.f, case.gradient, case.point).verdict


def by_scipy(case: Case) -> str:
    """check_grad returns a distance (forward differences by default), which users compare with about 1e-5."""
    from scipy.optimize import check_grad

    return _accepts(check_grad(case.f, case.gradient, case.point) < 1e-5)


def by_autograd(case: Case) -> str:
    from autograd.extend import defvjp, primitive
    from autograd.test_util import check_grads

    f = primitive(case.f)
    defvjp(f, lambda answer, x: lambda cotangent: cotangent * case.gradient(x))
    return _raises(lambda: check_grads(f, modes=["rev"], order=1)(case.point))


def by_jax(case: Case) -> str:
    import jax

    jax.config.update("jax_enable_x64", True)
    from jax.test_util import check_grads

    @jax.custom_vjp
    def f(x: Any) -> Any:
        return jax.pure_callback(
            lambda x: np.float64(case.f(np.asarray(x))), jax.ShapeDtypeStruct((), np.float64), x
        )

    def backward(x: Any, cotangent: Any) -> Any:
        shape = jax.ShapeDtypeStruct(x.shape, np.float64)
        return (cotangent * jax.pure_callback(lambda x: case.gradient(np.asarray(x)), shape, x),)

    f.defvjp(lambda x: (f(x), x), backward)
    return _raises(lambda: check_grads(f, (case.point,), order=1, modes=["rev"]))


def by_torch(case: Case) -> str:
    import torch

    class Function(torch.autograd.Function):
        @staticmethod
        def forward(context: Any, x: Any) -> Any:
            context.save_for_backward(x)
            return torch.tensor(case.f(x.detach().numpy()), dtype=torch.float64)

        @staticmethod
        def backward(context: Any, cotangent: Any) -> Any:
            (x,) = context.saved_tensors
            return cotangent * torch.tensor(case.gradient(x.detach().numpy()))

    x = torch.tensor(case.point, requires_grad=True)
    return _accepts(torch.autograd.gradcheck(Function.apply, (x,), raise_exception=False))


CHECKERS = {
    "cfcompiler": by_cfcompiler,
    "torch": by_torch,
    "jax": by_jax,
    "autograd": by_autograd,
    "scipy": by_scipy,
}


def _accepts(passed: bool) -> str:
    return "accepted" if passed else "rejected"


def _raises(check: Callable[[], None]) -> str:
    try:
        check()
    except (AssertionError, ValueError):
        return "rejected"
    return "accepted"


def agrees(said: str, truth: str) -> bool:
    return said.startswith("accepted") if truth == RIGHT else said == "rejected"


def random_networks(count: int) -> str:
    """What gradcheck says where all kinks of a random network meet, in 2 to 5 variables, with 2 to 7 relus.

    The cells are those that 20,000 random points meet; some are narrow. "Beyond" is past all of their gradients along
    a random direction, by a hundredth of the largest entry.
    """
    random = np.random.default_rng(77)
    counts: Counter[tuple[str, str]] = Counter()
    for _ in range(count):
        size, width = int(random.integers(2, 6)), int(random.integers(2, 8))
        weights = random.standard_normal((width, size))
        last = random.standard_normal(width) * 10 ** random.uniform(-1, 1, width)
        cells = sorted({tuple(row) for row in random.standard_normal((20000, size)) @ weights.T > 0})
        gradients = np.array([weights.T @ (last * np.array(cell)) for cell in cells])
        direction = random.standard_normal(size)
        direction /= np.linalg.norm(direction)
        given = {
            "a gradient of a cell": gradients[random.integers(len(gradients))],
            "a mixture of them": random.dirichlet(np.ones(len(gradients))) @ gradients,
            "beyond": gradients[np.argmax(gradients @ direction)]
            + 0.01 * np.abs(gradients).max() * direction,
        }
        for kind, vector in given.items():
            case = Case(
                kind,
                lambda x, w=weights, a=last: float(a @ np.maximum(w @ x, 0)),
                lambda x, w=weights, a=last: w.T @ (a * (w @ x > 0)),
                (0.0,) * size,
                tuple(vector),
                WRONG if kind == "beyond" else RIGHT,
            )
            counts[kind, by_cfcompiler(case)] += 1
    return "\n".join(
        f"- {kind}: {verdict}, {number} of {count}" for (kind, verdict), number in counts.items()
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", metavar="FILE", help="write the table there as well")
    parser.add_argument("--networks", type=int, default=0, help="try so many random networks as well")
    arguments = parser.parse_args()
    found, missing = {}, []
    for name in CHECKERS:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            missing.append(name)
    rows = [(case, [CHECKERS[name](case) for name in found]) for case in CASES]
    lines = [
        f"Python {platform.python_version()}, numpy {version('numpy')}.",
        "",
        "| the vector given | is | "
        + " | ".join(f"{name} {number}" for name, number in found.items())
        + " |",
        "|" + "---|" * (2 + len(found)),
    ]
    for case, said in rows:
        cells = [word if agrees(word, case.truth) else f"**{word}**" for word in said]
        lines.append(f"| {case.name} | {case.truth} | " + " | ".join(cells) + " |")
    rights = [sum(agrees(said[place], case.truth) for case, said in rows) for place in range(len(found))]
    lines.append("| as is true | | " + " | ".join(f"{count} of {len(rows)}" for count in rights) + " |")
    lines += [f"\nMissing: {', '.join(missing)}."] if missing else []
    lines += ["", random_networks(arguments.networks)] if arguments.networks else []
    text = "\n".join(lines) + "\n"
    print(text, end="")
    if arguments.write:
        Path(arguments.write).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
