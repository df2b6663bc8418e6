"""Presets and overrides to tie rules: what each written operation returns at its tie, in each mode.

A rule has three parts: the selection at the tie (and at NaN), the gate (does a zero weight block inf and NaN, or
multiply them), and the formula at singular points. A preset is a TOML file in presets/, measured on the version it
names; `--tie NAME=VALUE` overrides one rule. A rule is keyed by the operation as written, so relu, max(x, 0) and
max(0, x) may differ within one framework, as they do.

Source: the tie behaviour of eight frameworks, measured (tests/data/ties.json, tests/data/conventions.json).
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from fractions import Fraction
from functools import cache
from importlib import resources
from typing import Any, Literal, TypeAlias

from cfcompiler.ir import Formulas, Gate, Number, Tie, TieMode, Weights
from cfcompiler.primitives import TABLE

DEFAULT_PRESET = "torch"
Pair: TypeAlias = tuple[Number, Number]
ReductionTie: TypeAlias = Literal["split", "first", "last", "all", "fold", "tree", "network"]

# Derivatives of the pieces (above, below), where a single number means the slope at the tie.
_SLOPES: dict[str, tuple[int, int]] = {"abs": (1, -1)}
# Both pieces move with the argument: off the tie the piece not taken must be blocked, or 0*inf enters.
_TWO_SIDED = frozenset({"abs", "leaky_relu", "prelu", "elu", "selu", "celu", "softsign", "huber"})
_WORDS: dict[str, Pair] = {
    "first": (Fraction(1), Fraction(0)),
    "right": (Fraction(1), Fraction(0)),
    "last": (Fraction(0), Fraction(1)),
    "left": (Fraction(0), Fraction(1)),
    "split": (Fraction(1, 2), Fraction(1, 2)),
    "all": (Fraction(1), Fraction(1)),
}


# What --tie takes for an ordering, which has no weights.
_WORDS_OF = {"sort sort_descending topk median quantile": "first last", "cummax cummin": "first last split"}
ORDERING_WORDS = {name: words.split() for names, words in _WORDS_OF.items() for name in names.split()}
# `--tie pow=...` speaks of every power: integer, constant or variable exponent. Plain: the textbook formula.
_POWERS = ("ipow", "rpow", "pow")
_TEXTBOOK = "(g*n)*x**(n - 1)"


class TieError(ValueError):
    """An unknown preset or rule, or a value that a rule does not take; the text says what is known."""


@dataclass(frozen=True, slots=True)
class KinkMode:
    """One mode of a rule: for each select of the operation, weights of (above, below) at the tie and at NaN."""

    tie: tuple[Pair, ...]
    nan: tuple[Pair, ...]
    gate: Gate


@dataclass(frozen=True, slots=True)
class KinkRule:
    """The rule of one piecewise operation."""

    forward: KinkMode
    reverse: KinkMode


@dataclass(frozen=True, slots=True)
class Reduction:
    """The rule of an extremum over many entries, an ordering, or a pooling.

    `tie`: split (1/k each of k tied), first, last, all (1 each), or explicit weights by position among the tied.
    Written out by lowering: fold (the two-argument operation from left to right), tree (of a cumulative extremum: the
    two-argument operation in an associative scan), network (of an ordering: a sorting network of the two-argument
    operations).
    `nan`: what the entries get when the extremum is NaN: "nan", "zero", or "share" (the NaN entries, by `tie`).
    """

    name: str
    tie: ReductionTie | tuple[Number, ...]
    gate_forward: Gate = "select"
    gate_reverse: Gate = "mul"
    nan_forward: Literal["nan", "zero", "share"] = "nan"
    nan_reverse: Literal["nan", "zero", "share"] = "nan"


@dataclass(frozen=True, slots=True)
class WhereRule:
    """How the arm not taken of `where` is differentiated.

    Gate "select": its cotangent is a plain 0, its tangent is dropped. "mul": both are multiplied by 0.
    strong: the arm gets nothing in either mode, as if the choice were lazy.
    """

    gate: Gate = "select"
    strong: bool = False


@dataclass(frozen=True, slots=True)
class Rules:
    """All the tie rules in force: a preset with overrides."""

    preset: str
    framework: str
    version: str
    kinks: Mapping[str, KinkRule]
    reductions: Mapping[str, Reduction]
    where: WhereRule
    defines: Mapping[str, str]
    formulas: Formulas
    overrides: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The preset, with its overrides: "torch, relu=1/2"."""
        return ", ".join([self.preset, *(f"{key}={value}" for key, value in self.overrides.items())])

    def tie(self, operation: str, index: int) -> Tie:
        """The rule of the select number `index` in the text of `operation`. Raises TieError."""
        rule = self.kinks.get(operation)
        if rule is None:
            raise TieError(f"the preset {self.preset} has no rule for {operation}")
        return Tie(operation, _mode(rule.forward, index), _mode(rule.reverse, index))

    def reduction(self, operation: str) -> Reduction:
        """The rule of an extremum, an ordering or a pooling. Raises TieError."""
        rule = self.reductions.get(operation)
        if rule is None:
            raise TieError(f"the preset {self.preset} has no rule for {operation}")
        return rule


def _mode(mode: KinkMode, index: int) -> TieMode:
    tie = mode.tie[min(index, len(mode.tie) - 1)]
    nan = mode.nan[min(index, len(mode.nan) - 1)]
    zero, one = Fraction(0), Fraction(1)
    return TieMode(Weights(zero, tie[0], one, nan[0]), Weights(one, tie[1], zero, nan[1]), mode.gate)


def preset_names() -> tuple[str, ...]:
    """The presets there are, sorted; `default` is what the others fall back on."""
    folder = resources.files("cfcompiler") / "presets"
    names = [entry.name.removesuffix(".toml") for entry in folder.iterdir() if entry.name.endswith(".toml")]
    return tuple(sorted(name for name in names if name != "default"))


@cache
def load_preset(name: str) -> Rules:
    """The rules of one preset file, with what it inherits. Raises TieError for an unknown name."""
    if name not in (*preset_names(), "default"):
        near = get_close_matches(name, preset_names(), 1)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise TieError(f"unknown preset {name!r}{hint} (known: {', '.join(preset_names())})")
    text = (resources.files("cfcompiler") / "presets" / f"{name}.toml").read_text(encoding="utf-8")
    data = tomllib.loads(text)
    base = _EMPTY if name == "default" else load_preset(data.get("inherits", "default"))
    kinks = dict(base.kinks)
    for operation, entry in data.get("kink", {}).items():
        kinks[operation] = _kink_rule(operation, entry)
    reductions = dict(base.reductions)
    for operation, entry in data.get("reduce", {}).items():
        reductions[operation] = _reduction(operation, entry)
    defines = {**base.defines, **data.get("define", {})}
    for operation in data.get("kink", {}):
        defines.pop(operation, None) if operation not in data.get("define", {}) else None
    found = Rules(
        name,
        data.get("framework", name),
        str(data.get("version", "")),
        kinks,
        reductions,
        _where(data.get("where"), base.where),
        defines,
        _formulas(data, base.formulas),
    )
    return _with_modes(found, data.get("modes", "one" if base.formulas.one_mode else "separate"))


def rules(preset: str = DEFAULT_PRESET, overrides: Mapping[str, str] | None = None) -> Rules:
    """A preset with single rules overridden, as `--ties` and `--tie NAME=VALUE` give them. Raises TieError."""
    found = load_preset(preset)
    for name, value in (overrides or {}).items():
        found = override(found, name, str(value))
    return found


def rule_names(found: Rules) -> tuple[str, ...]:
    """The names that `--tie` knows."""
    singular = [row.name for row in TABLE.values() if row.singular is not None]
    return tuple(sorted({*found.kinks, *found.reductions, *singular, "where", "modes"}))


def override(found: Rules, name: str, value: str) -> Rules:
    """`found` with the rule `name` set to `value`.

    The gate becomes what follows a colon; without one "mul", or "select" where both pieces move with the argument.
    max and min have a rule for two arguments (a number, a word, two weights) and one for more (a word, or as many
    weights); a word sets both. sort speaks of both directions, sort_descending of falling order alone.
    Raises TieError for an unknown name or a value that the rule does not take.
    """
    selection, _, gate = value.partition(":")
    if gate not in ("", "mul", "select"):
        raise TieError(f"the gate of a rule is mul or select, not {gate!r}")
    after = replace(found, overrides={**found.overrides, name: value})
    known, weights = False, selection.count(",") + 1
    if name in found.kinks and not (name in found.reductions and weights > 2):
        own = gate or ("select" if name in _TWO_SIDED else "mul")
        mode = KinkMode((_pair(name, selection),), ((Fraction(0), Fraction(0)),), _gate(own))
        rule = KinkRule(mode, mode)
        defines = {operation: text for operation, text in found.defines.items() if operation != name}
        after = replace(after, kinks={**after.kinks, name: rule}, defines=defines)
        known = True
    if name in found.reductions and not (name in found.kinks and weights <= 2 and selection not in _WORDS):
        changed = _overridden_reduction(found.reductions[name], name, selection, _gate(gate or "mul"))
        defines = {key: text for key, text in after.defines.items() if key != name or f"{name}(" in text}
        both = {"sort_descending": changed} if name == "sort" else {}
        after = replace(after, reductions={**after.reductions, name: changed, **both}, defines=defines)
        known = True
    if name == "where":
        after = replace(after, where=_overridden_where(selection))
        known = True
    if name == "modes":
        after = _with_modes(after, value)
        known = True
    for row in _POWERS if name == "pow" else (name,):
        if row in TABLE and (TABLE[row].singular is not None or name == "pow"):
            defines = {operation: text for operation, text in after.defines.items() if operation != row}
            after = replace(
                after, formulas=_overridden_formula(after.formulas, row, selection), defines=defines
            )
            known = True
    if not known:
        near = get_close_matches(name, rule_names(found), 1)
        raise TieError(f"unknown tie rule {name!r}" + (f"; did you mean {near[0]}?" if near else ""))
    return after


def parse_weight(text: str) -> Number:
    """A weight: a rational number, or nan. Raises TieError."""
    if text.strip() == "nan":
        return "nan"
    try:
        return Fraction(text.strip())
    except (ValueError, ZeroDivisionError):
        raise TieError(f"{text!r} is not a weight: write a number such as 0, 1/2, 0.25, or nan") from None


def _pair(name: str, text: str) -> Pair:
    if text in _WORDS:
        return _WORDS[text]
    parts = text.split(",")
    if len(parts) == 2:
        return parse_weight(parts[0]), parse_weight(parts[1])
    if len(parts) != 1:
        raise TieError(f"{name} has two pieces: {text!r} has {len(parts)} weights")
    number = parse_weight(text)
    if isinstance(number, str):
        return number, number
    return weights_of(name, number)


def slopes(name: str) -> tuple[int, int]:
    """What a single number of a kink's rule means: (its value for all weight above, for all weight below)."""
    return _SLOPES.get(name, (1, 0))


def weights_of(name: str, number: Fraction) -> tuple[Fraction, Fraction]:
    """The weights of (above, below) under `--tie NAME=NUMBER`."""
    above, below = slopes(name)
    weight = (number - below) / (above - below)
    return weight, 1 - weight


def _gate(text: str) -> Gate:
    return "select" if text == "select" else "mul"


def _overridden_reduction(rule: Reduction, name: str, text: str, gate: Gate) -> Reduction:
    if text not in ORDERING_WORDS.get(name, (text,)):
        raise TieError(f"{name} takes {', '.join(ORDERING_WORDS[name])}: not {text!r}")
    match text:
        case "split" | "first" | "last" | "all":
            return replace(rule, tie=text, gate_forward=gate, gate_reverse=gate)
    weights = tuple(parse_weight(part) for part in text.split(","))
    if len(weights) < 2:
        raise TieError(f"{name} takes split, first, last, all or weights w1,w2,...: not {text!r}")
    return replace(rule, tie=weights, gate_forward=gate, gate_reverse=gate)


def _overridden_where(text: str) -> WhereRule:
    if text not in ("mul", "select", "strong"):
        raise TieError(f"where takes mul, select or strong, not {text!r}")
    return WhereRule("mul" if text == "mul" else "select", text == "strong")


def _overridden_formula(formulas: Formulas, name: str, text: str) -> Formulas:
    """The row's own derivative, but `text` (times g) where it divides by zero; "plain": the row's own everywhere."""
    row = TABLE[name]
    texts = dict(formulas.texts)
    for index, plain in enumerate(row.derivatives):
        if plain is None:
            continue
        changed = _TEXTBOOK if text == "plain" and name in ("ipow", "rpow") else plain
        if text != "plain":
            weight = parse_weight(text)
            factor = weight if isinstance(weight, str) else f"({weight.numerator}/{weight.denominator})"
            factor = factor.replace("(-", "-(") if factor.startswith("(-") else factor
            changed = f"{factor}*g if {row.singular or 'x == 0'} else {plain}"
        for mode in ("forward", "reverse"):
            texts[(name, mode, index)] = changed
    return replace(formulas, texts=tuple(sorted(texts.items())))


def _with_modes(found: Rules, modes: str) -> Rules:
    """`found` with forward and backward as "one", under the rules of backward, or "separate"."""
    if modes not in ("one", "separate"):
        raise TieError(f"modes takes one or separate, not {modes!r}")
    if modes == "separate":
        return replace(found, formulas=replace(found.formulas, one_mode=False))
    kinks = {name: KinkRule(rule.reverse, rule.reverse) for name, rule in found.kinks.items()}
    reductions = {
        name: replace(rule, gate_forward=rule.gate_reverse, nan_forward=rule.nan_reverse)
        for name, rule in found.reductions.items()
    }
    texts = {key: text for key, text in found.formulas.texts if key[1] == "reverse"}
    texts.update({(op, "forward", index): text for (op, _, index), text in texts.items()})
    formulas = Formulas(tuple(sorted(texts.items())), one_mode=True)
    return replace(found, kinks=kinks, reductions=reductions, formulas=formulas)


# from the files


def _weight(value: Any) -> Number:
    return parse_weight(str(value))


def _pair_of(entry: Any) -> Pair:
    if isinstance(entry, list):
        return _weight(entry[0]), _weight(entry[1])
    if isinstance(entry, str) and entry in _WORDS:
        return _WORDS[entry]
    weight = _weight(entry)
    return (weight, weight) if isinstance(weight, str) else (weight, 1 - weight)


def _pairs(entry: Any) -> tuple[Pair, ...]:
    return tuple(_pair_of(one) for one in (entry if isinstance(entry, list) else [entry]))


def _kink_rule(operation: str, entry: Mapping[str, Any]) -> KinkRule:
    def mode(which: str) -> KinkMode:
        own = {**entry, **entry.get(which, {})}
        gate = own.get("gate", "select")
        if isinstance(gate, dict):
            gate = gate[which]
        if "tie" not in own:
            raise TieError(f"the rule of {operation} says nothing of its tie")
        return KinkMode(_pairs(own["tie"]), _pairs(own.get("nan", [[0, 0]])), _gate(gate))

    return KinkRule(mode("forward"), mode("reverse"))


def _reduction(operation: str, entry: Mapping[str, Any]) -> Reduction:
    gate = entry.get("gate", "mul")
    gates = gate if isinstance(gate, dict) else {"forward": gate, "reverse": gate}
    nan = entry.get("nan", "nan")
    nans = nan if isinstance(nan, dict) else {"forward": nan, "reverse": nan}
    tie = entry["tie"]
    return Reduction(
        operation,
        tie if isinstance(tie, str) else tuple(_weight(one) for one in tie),  # type: ignore[arg-type]
        _gate(gates["forward"]),
        _gate(gates["reverse"]),
        nans["forward"],
        nans["reverse"],
    )


def _where(entry: Mapping[str, Any] | None, base: WhereRule) -> WhereRule:
    if entry is None:
        return base
    return WhereRule(_gate(entry.get("gate", "select")), entry.get("strong", False))


def _formulas(data: Mapping[str, Any], base: Formulas) -> Formulas:
    texts = dict(base.texts)
    for primitive, entry in data.get("formula", {}).items():
        for mode in ("forward", "reverse"):
            for index, text in enumerate(entry.get(mode, entry.get("both", []))):
                texts[(primitive, mode, index)] = text
    dense = data.get("dense_constants", base.dense_constants)
    return Formulas(tuple(sorted(texts.items())), dense, base.one_mode)


_EMPTY = Rules("default", "default", "", {}, {}, WhereRule(), {}, Formulas())
