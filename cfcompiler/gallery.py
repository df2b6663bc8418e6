"""The examples and their stories, as `cfc demo` shows them: examples/NAME.cf, and beside it examples/stories/NAME.toml.

The first comment of a program has its numbers, as `# key: value` lines (`at`, `ties`, `ad`, `true`, ...); its story has
the words. A number of the story is not written again but taken from there: `{jax}` is what AD returns under that
preset, `{jax forward}` in forward mode, `{torch relu=1}` under a rule more, `{jax.x}` its part for the input x,
`{true}` the gradient.
"""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cfcompiler import errors
from cfcompiler.errors import CFError
from cfcompiler.source import Source

PRESET = "torch"
STORIES = "stories"
_NUMBER = re.compile(r"(.+?)(?:\.([A-Za-z_]\w*))?")  # `torch-2.15` is a preset, `torch.x` a part of a row


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of phenomenon: how it is headed, and a sentence about it."""

    name: str
    title: str
    about: str


KINDS = (
    Kind(
        "spurious",
        "A wrong derivative where there is a right one",
        "The function is smooth at the point; kinks that cancel in its value do not cancel in its derivative.",
    ),
    Kind(
        "guard",
        "A branch for one case",
        "A comparison as written takes an arm that is right for the value and wrong for the slope. No tie rule helps.",
    ),
    Kind(
        "outside",
        "A wrong number at a kink",
        "The function has a kink; AD returns a slope that is not between the slopes on its sides.",
    ),
    Kind(
        "arm",
        "NaN from an arm that is not taken",
        "The value is fine. Backward mode sends a zero into the other arm, where it meets an infinite slope.",
    ),
    Kind(
        "infinite",
        "Zero times infinity",
        "The chain rule goes through a point where one factor is infinite, though the function is tame or even smooth.",
    ),
    Kind(
        "jump",
        "A jump",
        "The function is not continuous at the point, so that no answer of AD is a derivative.",
    ),
    Kind(
        "critical",
        "Critical points that are not there",
        "0 is among what AD may return, and no slope of the function is: a method may stop on a slope.",
    ),
    Kind(
        "inexact",
        "A subgradient where there is a gradient",
        "The function is differentiable, but not continuously; AD returns a limit of gradients and not the gradient.",
    ),
    Kind(
        "subgradient",
        "At a tie: one subgradient of many",
        "The function has a kink and AD returns a Clarke subgradient. Nothing is wrong; which one is up to the rules.",
    ),
    Kind(
        "right",
        "Looks dangerous and is right",
        "Ties that do no harm, and repairs that work.",
    ),
)


@dataclass(frozen=True, slots=True)
class Claim:
    """One `# ad:` line under one set of rules: what AD returns, input by input. `mode`: "" for both."""

    preset: str
    rules: tuple[str, ...]
    mode: str
    values: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Story:
    """Who met it, what was returned, what is true, the line that does it, and what to write instead, as sentences.

    `references`: `owner/name#12` or an address. `where`: a condition under which the rewrite is the same function (""
    for everywhere); elsewhere it differs by less than `within` ("" for no such claim).
    """

    kind: str
    met: str
    returned: str
    true: str
    line: str
    instead: str
    references: tuple[str, ...]
    where: str = ""
    within: str = ""


@dataclass(frozen=True, slots=True)
class Example:
    """One file of examples/. `point` and `ties` say where its phenomenon is seen; "" where it names none.

    `rewrite`: the function of the file to write instead, "" where there is none.
    """

    name: str
    title: str
    path: Path
    text: str
    point: str
    ties: str
    claims: tuple[Claim, ...]
    true: Mapping[str, str]
    verdict: str
    rewrite: str
    story: Story

    @property
    def rules(self) -> tuple[str, tuple[str, ...]]:
        """The preset, and the single rules over it."""
        preset, *rules = self.ties.split() or [PRESET]
        return preset, tuple(rules)

    @property
    def arguments(self) -> tuple[str, ...]:
        """What follows `cfc` to see the phenomenon; nothing where the example names no point."""
        if not self.point:
            return ()
        preset, rules = self.rules
        chosen = [] if preset == PRESET else ["--ties", preset]
        return ("at", str(self.path), *self.point.split(), *chosen, *(f"--tie={rule}" for rule in rules))

    @property
    def kind(self) -> Kind:
        return next(kind for kind in KINDS if kind.name == self.story.kind)

    @property
    def line(self) -> int:
        """The number of the line that does it, the first of such lines; 0 where the story names none."""
        wanted = self.story.line
        return next((number for number, line in self.program() if wanted and line.strip() == wanted), 0)

    def program(self) -> tuple[tuple[int, str], ...]:
        """The numbered lines of the program, without the first comment and without the rewrite."""
        lines = self.text.rstrip("\n").split("\n")
        start = next((place for place, line in enumerate(lines) if not line.startswith("#")), len(lines))
        left_out = self._lines_of(self.rewrite)
        shown = [
            (place + 1, line)
            for place, line in enumerate(lines)
            if place > start and place + 1 not in left_out
        ]
        return tuple(_without_gaps(shown))

    def rewritten(self) -> tuple[str, ...]:
        """The lines of the rewrite."""
        lines = self.text.split("\n")
        return tuple(lines[number - 1] for number in self._lines_of(self.rewrite))

    def _lines_of(self, function: str) -> range:
        for node in ast.parse(self.text).body:
            if isinstance(node, ast.FunctionDef) and node.name == function:
                return range(node.lineno, (node.end_lineno or node.lineno) + 1)
        return range(0)


def folder() -> Path:
    """examples/: inside the package (a wheel), or beside it (the source tree)."""
    package = Path(__file__).resolve().parent
    for parent in (package, package.parent):
        if (parent / "examples").is_dir():
            return parent / "examples"
    raise FileNotFoundError("examples/ is neither in the package nor beside it")


def names() -> tuple[str, ...]:
    """The names of all examples, sorted."""
    return tuple(path.stem for path in sorted(folder().glob("*.cf")))


def examples() -> tuple[Example, ...]:
    """All of them, sorted by name."""
    return tuple(_read(folder() / f"{name}.cf") for name in names())


def grouped(chosen: Sequence[Example]) -> tuple[tuple[Kind, tuple[Example, ...]], ...]:
    """The examples by kind, kinds in their order."""
    groups = ((kind, tuple(one for one in chosen if one.story.kind == kind.name)) for kind in KINDS)
    return tuple((kind, members) for kind, members in groups if members)


def example(name: str) -> Example:
    """The one example that `name` means: its name, or a beginning that no other has. Raises CFError."""
    found = meant(name)
    if len(found) > 1:
        begun = ", ".join(one.name for one in found)
        raise CFError([errors.bad_option(f"{name!r} may be {begun}")], Source("", "cfc demo"))
    return found[0]


def meant(name: str) -> tuple[Example, ...]:
    """The example called `name` or `name.cf`, else those whose names begin so. Raises CFError where there is none."""
    known = names()
    stem = name.removesuffix(".cf")
    if stem in known:
        return (_read(folder() / f"{stem}.cf"),)
    begun = [one for one in known if stem and one.startswith(stem)]
    if not begun:
        near = errors.nearest(stem, known)
        hint = f"did you mean {near!r}?" if near else "`cfc demo` lists them"
        raise CFError([errors.bad_option(f"there is no example {name!r}", hint)], Source("", "cfc demo"))
    return tuple(_read(folder() / f"{one}.cf") for one in begun)


def address(reference: str) -> str:
    """The address of `owner/name#12`; any other reference is an address itself."""
    found = re.fullmatch(r"([\w.-]+/[\w.-]+)#(\d+)", reference)
    return f"https://github.com/{found[1]}/issues/{found[2]}" if found else reference


# reading


def _read(path: Path) -> Example:
    text = path.read_text(encoding="utf-8")
    first, _, rest = text.partition("\n")
    comment = rest.partition("\n\n")[0]
    lines = re.findall(r"^# (\w+): (.+)$", comment, flags=re.MULTILINE)
    keys = dict(lines)
    claims = tuple(claim for key, value in lines if key == "ad" for claim in _claims(value))
    true = _row(keys.get("true", ""))
    told = tomllib.loads((path.parent / STORIES / f"{path.stem}.toml").read_text(encoding="utf-8"))
    return Example(
        path.stem,
        first.removeprefix("#").strip().removeprefix(path.name).lstrip(" -"),
        path,
        text,
        keys.get("at", ""),
        keys.get("ties", ""),
        claims,
        true,
        keys.get("verdict", ""),
        keys.get("instead", ""),
        _story(told, claims, true),
    )


def _story(told: Mapping[str, object], claims: Sequence[Claim], true: Mapping[str, str]) -> Story:
    words = {
        key: _filled(str(told[key]), claims, true).strip() for key in ("met", "returned", "true", "instead")
    }
    references = told.get("references", [])
    assert isinstance(references, list)
    return Story(
        kind=str(told["kind"]),
        line=str(told.get("line", "")),
        references=tuple(map(str, references)),
        where=str(told.get("where", "")),
        within=str(told.get("within", "")),
        **words,
    )


def _filled(text: str, claims: Sequence[Claim], true: Mapping[str, str]) -> str:
    """The numbers in place of `{jax}` and `{true}`. Raises KeyError for one that the program does not state."""

    def number(found: re.Match[str]) -> str:
        words, name = _NUMBER.fullmatch(found[1]).groups()  # type: ignore[union-attr]  # it matches any text
        row = true if words == "true" else _claimed(words.split(), claims)
        return _shown(row[name] if name else row)

    return re.sub(r"\{([^{}]+)\}", number, " ".join(text.split()))


def _claimed(words: Sequence[str], claims: Sequence[Claim]) -> Mapping[str, str]:
    mode = words[-1] if words[-1] in ("forward", "backward") else ""
    preset, *rules = words[: -1 if mode else None]
    for claim in claims:
        if (claim.preset, claim.rules) == (preset, tuple(rules)) and claim.mode in ("", mode or "backward"):
            return claim.values
    raise KeyError(" ".join(words))


def _shown(value: str | Mapping[str, str]) -> str:
    """`1/2`, or `x = 1/2, y = 0`; `NaN` for people."""
    if not isinstance(value, str):
        entries = [_shown(entry) for entry in value.values()]
        pairs = (f"{name} = {entry}" for name, entry in zip(value, entries, strict=True))
        return entries[0] if len(entries) == 1 else ", ".join(pairs)
    return re.sub(r"\bnan\b", "NaN", value.replace(",", ", "))


def _claims(text: str) -> list[Claim]:
    """`x=1 under torch jax, backward` or `x=1 under torch relu=1`."""
    values, _, rest = text.partition(" under ")
    rules, _, mode = rest.partition(", ")
    words = rules.split()
    single = tuple(word for word in words if "=" in word)
    return [Claim(preset, single, mode, _row(values)) for preset in words if "=" not in preset]


def _row(text: str) -> dict[str, str]:
    return {name: value for name, _, value in (part.partition("=") for part in text.split())}


def _without_gaps(lines: Sequence[tuple[int, str]]) -> list[tuple[int, str]]:
    """Without blank lines at the beginning, and never more than two of them in a row."""
    kept: list[tuple[int, str]] = []
    for number, line in lines:
        blank = [not text.strip() for _, text in kept[-2:]]
        if line.strip() or (kept and not (len(blank) == 2 and all(blank))):
            kept.append((number, line))
    return kept
