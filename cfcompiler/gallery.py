"""The examples, as `cfc demo` shows them: name, title and the `# key: value` lines of the first comment."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from cfcompiler import errors
from cfcompiler.errors import CFError
from cfcompiler.source import Source

PRESET = "torch"


@dataclass(frozen=True, slots=True)
class Example:
    """One file of examples/. `point` and `ties` say where its phenomenon is seen; "" where it names none."""

    name: str
    title: str
    path: Path
    text: str
    point: str
    ties: str

    @property
    def arguments(self) -> tuple[str, ...]:
        """What follows `cfc` to see the phenomenon; nothing where the example names no point."""
        if not self.point:
            return ()
        preset, *rules = self.ties.split() or [PRESET]
        chosen = [] if preset == PRESET else ["--ties", preset]
        return ("at", str(self.path), *self.point.split(), *chosen, *(f"--tie={rule}" for rule in rules))


def folder() -> Path:
    """examples/: inside the package (a wheel), or beside it (the source tree)."""
    package = Path(__file__).resolve().parent
    for parent in (package, package.parent):
        if (parent / "examples").is_dir():
            return parent / "examples"
    raise FileNotFoundError("examples/ is neither in the package nor beside it")


def examples() -> tuple[Example, ...]:
    """All of them, sorted by name."""
    return tuple(_read(path) for path in sorted(folder().glob("*.cf")))


def example(name: str) -> Example:
    """The example called `name` or `name.cf`. Raises CFError."""
    known = [path.stem for path in sorted(folder().glob("*.cf"))]
    stem = name.removesuffix(".cf")
    if stem not in known:
        near = errors.nearest(stem, known)
        hint = f"did you mean {near!r}?" if near else "`cfc demo` lists them"
        raise CFError([errors.bad_option(f"there is no example {name!r}", hint)], Source("", "cfc demo"))
    return _read(folder() / f"{stem}.cf")


def _read(path: Path) -> Example:
    text = path.read_text(encoding="utf-8")
    first, _, rest = text.partition("\n")
    keys = dict(re.findall(r"^# (at|ties): (.+)$", rest, flags=re.MULTILINE))
    title = first.removeprefix("#").strip().removeprefix(path.name).lstrip(" -")
    return Example(path.stem, title, path, text, keys.get("at", ""), keys.get("ties", ""))
