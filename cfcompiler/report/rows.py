"""The rows and words that all reports are made of.

Exact numbers are texts that SymPy parses; an array input is a nested list of them.
"""

from __future__ import annotations

from typing import TypeAlias

Nested: TypeAlias = "str | list[Nested]"
Row: TypeAlias = dict[str, Nested]  # a derivative by each input
YOURS = "yours"  # in a comparison, the row of rules of one's own
VERDICTS = ("exact", "inexact", "clarke", "spurious", "undefined", "discontinuous", "unknown")
