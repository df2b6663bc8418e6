"""Figures of `cfc strata`: how its time grows with the number of strata, how many programs come out complete.

    python -m benchmarks.strata arrangements     n lines in general position, the braid arrangements
    python -m benchmarks.strata polynomials      random programs of polynomial guards, 2 to 4 inputs
    python -m benchmarks.strata elementary       random programs with exp, log, sin, sqrt and their like
    python -m benchmarks.strata gallery          every example, complete or the reason why not

Times are of the processor, since machines are shared; the limit of a program is on the clock, as for users.
"""

from __future__ import annotations

import random
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from itertools import combinations
from pathlib import Path

from cfcompiler import compile_text
from cfcompiler.compiler import compile_file
from cfcompiler.errors import CFError
from cfcompiler.report import StrataReport
from tests.elementary_programs import program

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"
LIMIT = 20.0  # seconds a program
POLYNOMIALS, ELEMENTARY = 60, 200


def timed(text: str, seconds: float) -> tuple[StrataReport, float]:
    """The strata, and the seconds of the processor that they took."""
    compiled = compile_text(text)
    start = time.process_time()
    report = compiled.strata(seconds=seconds)
    return report, time.process_time() - start


# growth


def lines_in_general_position(count: int) -> str:
    rng = random.Random(count)
    terms = [f"abs({a}*x + {b}*y - {c})" for a, b, c in (_triple(rng) for _ in range(count))]
    return f"def f(x, y):\n    return {' + '.join(terms)}\n"


def _triple(rng: random.Random) -> tuple[int, int, int]:
    return rng.randint(1, 997), rng.randint(1, 997), rng.randint(-997, 997)


def braid(count: int) -> str:
    names = [f"x{k}" for k in range(count)]
    terms = [f"abs({one} - {other})" for one, other in combinations(names, 2)]
    return f"def f({', '.join(names)}):\n    return {' + '.join(terms)}\n"


def arrangements() -> None:
    for name, make, sizes in (
        ("lines", lines_in_general_position, (5, 10, 20, 40)),
        ("braid", braid, (3, 4, 5)),
    ):
        for size in sizes:
            report, seconds = timed(make(size), 600)
            count = len(report.strata)
            print(f"{name:8} {size:3} {count:6} strata  {seconds:8.2f} s  {count / seconds:8.0f} a second")


# completeness


def polynomial_programs() -> Iterator[tuple[int, str]]:
    """Programs of 2 to 10 guards, each a dense polynomial of degree 1 to 4, with the number of inputs."""
    for seed in range(POLYNOMIALS):
        rng = random.Random(seed)
        inputs = 2 + seed % 3
        names = "xyzw"[:inputs]
        guards = [_polynomial(rng, names, rng.randint(1, 4)) for _ in range(rng.randint(2, 10))]
        terms = [
            rng.choice(("relu({})", "abs({})", "max({}, 0)", "min({}, 1)")).format(own) for own in guards
        ]
        yield inputs, f"def f({', '.join(names)}):\n    return {' + '.join(terms)}\n"


def _polynomial(rng: random.Random, names: str, degree: int) -> str:
    terms = [str(rng.randint(-3, 3))]
    for _ in range(rng.randint(2, 5)):
        factors = rng.choices(names, k=rng.randint(1, degree))
        terms.append(f"{rng.choice((-2, -1, 1, 2, 3))}*{'*'.join(factors)}")
    return " + ".join(terms)


def counted(programs: Iterator[tuple[int, str]]) -> None:
    rows: dict[int, list[tuple[bool, float]]] = {}
    for inputs, text in programs:
        start = time.monotonic()
        report, _ = timed(text, LIMIT)
        rows.setdefault(inputs, []).append((report.complete, time.monotonic() - start))
    for inputs, found in sorted(rows.items()):
        done = sum(complete for complete, _ in found)
        print(f"{inputs} inputs: {done} of {len(found)} complete")
    everything = [seconds for found in rows.values() for _, seconds in found]
    print(f"median {statistics.median(everything):.1f} s on the clock, limit {LIMIT:g} s")


def polynomials() -> None:
    counted(polynomial_programs())


def elementary() -> None:
    texts = (program(seed) for seed in range(ELEMENTARY))
    counted((1 + ("y" in text.split(":")[0]), text) for text in texts)


def gallery() -> None:
    for path in sorted(EXAMPLES.glob("*.cf")):
        start = time.process_time()
        try:
            report = compile_file(path).strata(seconds=LIMIT)
        except CFError as problem:
            print(f"{path.stem}: {problem.diagnostics[0].message}")
            continue
        counts = ", ".join(f"{count} of dimension {k}" for k, count in report.counts.items())
        reason = "complete" if report.complete else f"not complete: {report.unknown[0]}"
        print(
            f"{path.stem}: {len(report.strata)} strata ({counts}), {time.process_time() - start:.1f} s, {reason}"
        )


JOBS: dict[str, Callable[[], None]] = {
    "arrangements": arrangements,
    "polynomials": polynomials,
    "elementary": elementary,
    "gallery": gallery,
}

if __name__ == "__main__":
    for word in sys.argv[1:] or JOBS:
        JOBS[word]()
