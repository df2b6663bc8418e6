"""The recorded answers as rows, and what the language answers to each under the framework's preset."""

from __future__ import annotations

import gzip
import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from cfcompiler.analyses.jacobians import both_modes
from cfcompiler.arithmetic import FLOATS
from cfcompiler.compiler import Compiled, compile_text
from cfcompiler.interpreter import run
from cfcompiler.ir import Program
from cfcompiler.transforms.reverse import vjp
from tests.ties_conventions import BODIES, PRESETS, PROBES
from tests.ties_translation import program_of

DATA = Path(__file__).parent / "data"
Entries = tuple[np.ndarray, ...]

# (framework, mode) -> (preset, forward or reverse); what is not named here has the framework's own preset.
_MODES = {
    ("jax", "reverse-jit"): ("jax-jit", "reverse"),
    ("tensorflow", "reverse-xla"): ("tensorflow-xla", "reverse"),
    ("casadi", "forward-SX"): ("casadi-sx", "forward"),
    ("casadi", "reverse-SX"): ("casadi-sx", "reverse"),
    ("casadi", "forward-MX"): ("casadi", "forward"),
    ("casadi", "reverse-MX"): ("casadi", "reverse"),
}
# Recorded in full precision in ties.json, with seven digits in conventions.json.
TOLERANCE = {"ties": 1e-9, "conventions": 1e-6}


@dataclass(frozen=True, slots=True)
class Row:
    """One recorded answer. `value` is None where only the derivative was recorded."""

    file: str
    framework: str
    mode: str
    primitive: str
    point: str
    code: str
    inputs: tuple[Any, ...]
    value: Any
    derivative: Any

    @property
    def key(self) -> str:
        return " | ".join([self.framework, self.mode, self.primitive, self.point, self.code])

    @property
    def preset(self) -> str:
        if self.file == "conventions":
            return PRESETS[self.framework]
        return _MODES.get((self.framework, self.mode), (self.framework, self.mode))[0]

    @property
    def direction(self) -> str:
        return _MODES.get((self.framework, self.mode), (self.framework, self.mode))[1]


def recorded_rows() -> Iterator[Row]:
    """Every answer of a framework in both files, in their order."""
    with gzip.open(DATA / "ties.json.gz", "rt", encoding="utf-8") as file:
        cases = json.load(file)["cases"]
    for case in cases:
        for answer in case["answers"]:
            if answer["framework"] == "truth":
                continue
            yield Row(
                "ties",
                answer["framework"],
                answer["mode"],
                case["primitive"],
                case["point"],
                answer["code"],
                tuple(case["inputs"]),
                answer["value"],
                answer["derivative"],
            )
    probes = json.loads((DATA / "conventions.json").read_text(encoding="utf-8"))["probes"]
    for probe in probes:
        for library, derivative in probe["values"].items():
            if derivative is not None:
                point = PROBES[probe["probe"]].point
                yield Row("conventions", library, "reverse", probe["probe"], "", "", point, None, derivative)


def source_of(row: Row) -> str:
    """The .cf program of a row. Raises NotExpressible."""
    if row.file == "conventions":
        probe = PROBES[row.primitive]
        return probe.source_of(BODIES.get((row.framework, row.primitive), probe.body))
    return program_of(row.framework, row.code, tuple(shape_of(entry) for entry in row.inputs))


def shape_of(entry: Any) -> tuple[int, ...]:
    return (len(entry), *shape_of(entry[0])) if isinstance(entry, list) else ()


def numbers(entry: Any) -> np.ndarray:
    """Numbers as recorded: inf and NaN are texts."""
    if isinstance(entry, list):
        return np.array([numbers(one) for one in entry], dtype=np.float64)
    return np.array(float(entry), dtype=np.float64)


@cache
def compiled(preset: str, text: str) -> Compiled:
    return compile_text(text, preset=preset)


def answer(row: Row) -> tuple[np.ndarray, np.ndarray]:
    """(value, Jacobian of shape (results, inputs)) under the row's preset. Raises NotExpressible."""
    text = source_of(row)
    entries = tuple(numbers(entry) for entry in row.inputs)
    program = compiled(row.preset, text)
    if row.file == "conventions" and PROBES[row.primitive].order == 2:
        return _evaluate(vjp(program.backward), (*entries, np.array(1.0)), "second")
    if row.direction == "forward":
        value, _ = _evaluate(program.backward, entries, "reverse")
        inputs = {param.value.name: x for param, x in zip(program.program.params, entries, strict=True)}
        forward, _ = both_modes(program.program, inputs)
        return value, np.stack([np.concatenate([np.ravel(part) for part in one]) for one in forward])
    return _evaluate(program.backward, entries, "reverse")


def _evaluate(program: Program, entries: Entries, direction: str) -> tuple[np.ndarray, np.ndarray]:
    """(value, Jacobian) by a backward program; direction "second": by its own derivative, the second derivative."""
    names = [param.value for param in program.params]
    point = dict(zip((name.name for name in names), entries, strict=False))
    value = program.results[0]
    if direction == "second":
        seeds = {name.name: np.zeros(name.shape) for name in names[len(entries) :]}
        seeds[names[-1].name] = np.array(1.0)
        results = run(program, {**point, **seeds}, FLOATS)
        return results[value.name], np.reshape(results[program.results[2].name], (1, 1))
    rows = []
    for (unit,) in _units((np.zeros(value.shape),)):
        results = run(program, {**point, names[-1].name: unit}, FLOATS)
        rows.append(np.concatenate([np.ravel(results[one.name]) for one in program.results[1:]]))
    return results[value.name], np.stack(rows)


def _units(entries: Entries) -> Iterator[Entries]:
    """All entries 0 but one, which is 1."""
    for index, entry in enumerate(entries):
        for place in np.ndindex(entry.shape):
            units = tuple(np.zeros(one.shape) for one in entries)
            units[index][place] = 1.0
            yield units


def disagreement(row: Row) -> str | None:
    """What differs between the recorded and the computed answer, or None. Raises NotExpressible."""
    value, jacobian = answer(row)
    if isinstance(row.derivative, str) and row.derivative.startswith("ERR"):
        return f"recorded {row.derivative}"
    wanted = np.ravel(numbers(row.derivative))
    tolerance = TOLERANCE[row.file]
    if not same(np.ravel(jacobian), wanted, tolerance):
        return f"derivative {np.ravel(jacobian).tolist()}, recorded {wanted.tolist()}"
    if row.value is not None and not same(np.ravel(value), np.ravel(numbers(row.value)), tolerance):
        return f"value {np.ravel(value).tolist()}, recorded {np.ravel(numbers(row.value)).tolist()}"
    return None


def same(computed: np.ndarray, recorded: np.ndarray, tolerance: float) -> bool:
    """Equal entry by entry: NaN is NaN, an infinity has its sign, a zero has none."""
    if computed.shape != recorded.shape:
        return False
    return all(_same(float(a), float(b), tolerance) for a, b in zip(computed, recorded, strict=True))


def _same(a: float, b: float, tolerance: float) -> bool:
    if math.isnan(a) or math.isnan(b):
        return math.isnan(a) and math.isnan(b)
    if math.isinf(a) or math.isinf(b):
        return a == b
    return abs(a - b) <= tolerance * max(1.0, abs(a), abs(b))
