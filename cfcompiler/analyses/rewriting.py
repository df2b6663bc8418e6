"""A function, what to write instead, a point -> RewriteReport: the same function, and AD right at the point.

Each part is found anew and nothing is taken on trust: the values (same_values.py), what every preset returns on the
rewrite at the point with its verdict (comparison.py), and the strata of the rewrite.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction

from cfcompiler import numbers
from cfcompiler.analyses.comparison import Written, comparison
from cfcompiler.analyses.same_values import Pair, difference, is_least, points, same_values
from cfcompiler.analyses.strata import strata_of
from cfcompiler.analyses.strata_question import question_of
from cfcompiler.number_text import parse_number
from cfcompiler.point import parse_arguments
from cfcompiler.report import ComparisonReport, Nested
from cfcompiler.report.rewriting import RewriteReport
from cfcompiler.source import Source

SECONDS = 10.0  # for the strata of the rewrite
NEAR = Fraction(1, 40_000)  # how much smaller the steps are where the two functions differ by design


def rewriting(
    source: Source,
    original: str,
    rewrite: str,
    point: Sequence[str],
    *,
    where: str,
    within: str,
    preset: str | None,
    overrides: Mapping[str, str],
    seconds: float = SECONDS,
) -> RewriteReport:
    """The report on `rewrite` in place of `original`, both functions of `source`, at `point` (NAME=VALUE).

    `where`: a condition in the inputs; they need to be the same only there, and elsewhere differ by less than `within`
    ("" for no such claim). `preset`, `overrides`: the tie rules for the strata. Raises CFError.
    """
    pair = Pair(source, original, rewrite, where)
    written = Written(source, rewrite)
    program = written.under(preset, overrides)
    place = parse_arguments(program, point)
    fixed = {word.partition("=")[0]: word.partition("=")[2] for word in point}
    data = {param.value.name: fixed[param.value.name] for param in program.params if not param.differentiable}
    strata = strata_of(program, question_of(program, fix=data, seconds=seconds))
    near = _near(pair, place, within) if within else 0
    compared = comparison(written, lambda program: parse_arguments(program, point))
    return RewriteReport(
        original,
        rewrite,
        same_values(pair, place, seconds),
        compared,
        strata,
        within if near else "",
        near,
        _rests_undecided(compared) and is_least(program, place, seconds),
    )


def _rests_undecided(compared: ComparisonReport) -> bool:
    """Whether AD returns 0 under every preset, and that this is a subgradient is not decided."""
    rows = [row for preset in compared.presets for row in preset.backward or ()]
    zero = all(entry == "0" for row in rows for value in row.values() for entry in _leaves(value))
    return zero and any(row.verdict == "unknown" for row in compared.presets)


def _near(pair: Pair, place: Mapping[str, object], within: str) -> int:
    """At how many exact points outside of `pair.where` they differ by less than `within`; 0 if at one they do not."""
    bound = parse_number(within)
    outside = Pair(pair.source, pair.one, pair.other, f"not ({pair.where})")
    count = 0
    for point in points(outside, place, NEAR):
        found = difference(outside, point)
        if found is None:
            continue
        if numbers.compare(numbers.absolute(found), bound) != -1:
            return 0
        count += numbers.compare(bound, Fraction(0)) == 1
    return count


def _leaves(value: Nested) -> list[str]:
    return [value] if isinstance(value, str) else [leaf for part in value for leaf in _leaves(part)]
