"""The numbers of a program as names of a generated module: 0-d arrays, which ufuncs take without converting."""

from __future__ import annotations

import re
from collections.abc import Iterable
from fractions import Fraction

import numpy as np

from cfcompiler.arithmetic import nearest_float
from cfcompiler.ir import Number
from cfcompiler.transforms.resolved import directions


class Constants:
    """Hands out one name a number and remembers what has to be defined at the top of the module."""

    def __init__(self) -> None:
        self.names: dict[str, str] = {}  # by the float's repr
        self.numbers: dict[str, float] = {}
        self.bits: set[str] = set()
        self.words: dict[str, str] = {}
        self.arrays: dict[str, np.ndarray] = {}

    def real(self, number: Number) -> str:
        """The name of the number as a float64 array without axes."""
        value = nearest_float(number)
        key = repr(value)
        if key not in self.names:
            name = _name_of(number)
            while name in self.numbers:
                name += "_"
            self.names[key] = name
            self.numbers[name] = value
        return self.names[key]

    def read_bits(self, names: Iterable[str]) -> None:
        """Of those of `names` that are numbers here, the bits are read as int64 under the name NAME_BITS."""
        self.bits.update(name for name in names if name in self.numbers)

    def integer(self, name: str, text: str) -> str:
        """A named array of integers, defined by `text`."""
        self.words[name] = text
        return name

    def places(self, text: str) -> str:
        """The name of an array of indices or of a tuple of views, defined by `text`; the same text has one name."""
        for name, other in self.words.items():
            if other == text:
                return name
        return self.integer(f"PLACES_{len(self.words)}", text)

    def array(self, name: str, data: np.ndarray) -> None:
        """An array of constants under its name in the module."""
        self.arrays[name] = data

    def lines(self) -> list[str]:
        """The definitions."""
        out = [f"{name} = np.array({_text(value)})" for name, value in self.numbers.items()]
        out.extend(f"{name}_BITS = {name}.view(np.int64)" for name in self.numbers if name in self.bits)
        out.extend(f"{name} = {text}" for name, text in self.words.items())
        for name, data in self.arrays.items():
            out.extend(_array_lines(name, data))
        return out


def _array_lines(name: str, data: np.ndarray) -> list[str]:
    """A small array as a list, a large one as the hexadecimal text of its bytes; a direction as what makes it."""
    if data.size <= 64:
        inf_nan = re.sub(r"\b(inf|nan)\b", r"np.\1", repr(data.tolist()))
        return [f"{name} = np.array({inf_nan}, dtype=np.float64)"]
    first = _start_of(data)
    if first is not None:
        return [
            "# 1, 2**-10, 2**-20, ..., 40 numbers, then these times 1/2, 1/3, ...",
            f"{name} = np.arange({first}, {first + data.size})",
            f"{name} = np.ldexp(1.0 / (1 + {name} // 40), -10 * ({name} % 40)).reshape({data.shape})",
        ]
    text = np.ascontiguousarray(data, dtype="<f8").tobytes().hex()
    rows = [f'    "{text[start : start + 96]}"' for start in range(0, len(text), 96)]
    return [f"{name} = np.frombuffer(bytes.fromhex(", *rows, f'), dtype="<f8").reshape({data.shape})']


def _start_of(data: np.ndarray) -> int | None:
    """The entry of the direction d (transforms/resolved.py) with which the array begins, if it is a piece of d."""
    flat = data.reshape(-1)
    if not 0.0 < flat[0] <= 1.0:
        return None
    for power in range(40):
        count = round(Fraction(1, 2 ** (10 * power)) / Fraction(float(flat[0])))
        first = 40 * (count - 1) + power
        # 2**-10 is the second entry, and the first of those times 1/1024: the pieces are looked at whole
        near = 0 < count < 2**40 and np.array_equal(directions(first, (2,)), flat[:2])
        if near and np.array_equal(directions(first, flat.shape), flat):
            return first
    return None


def _name_of(number: Number) -> str:
    if isinstance(number, Fraction):
        sign = "MINUS_" if number < 0 else "K"
        text = str(abs(number.numerator)) + ("" if number.denominator == 1 else f"_{number.denominator}")
        if len(text) > 12:
            text = re.sub(r"\W", "_", repr(abs(nearest_float(number)))).strip("_")
        return f"{sign}{text}" if sign == "K" else f"K_{sign}{text}"
    return "K_" + re.sub(r"\W+", "_", number).strip("_").upper()


def _text(value: float) -> str:
    if value != value:
        return "np.nan"
    if value in (float("inf"), float("-inf")):
        return "np.inf" if value > 0 else "-np.inf"
    return repr(value)


def literal(number: Number) -> str:
    """The number as a Python expression."""
    value = nearest_float(number)
    text = _text(value)
    return f"({text})" if text.startswith("-") else text
