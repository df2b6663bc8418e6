"""What stands between logical lines: indentation, headers without a body, else without if.

Complaints go to the lines.
"""

from __future__ import annotations

from cfcompiler import errors
from cfcompiler.language.logical_lines import Logical
from cfcompiler.source import Span


class Indentation:
    """Indentation, and which header may follow which: complaints go to the lines. `sound`: repair makes sense."""

    def __init__(self, lines: list[Logical]) -> None:
        self.lines = lines
        self.sound = True
        self.levels: list[int] = [0]
        self.kinds: list[str] = [""]  # the last statement at each level: "if" where an else may follow

    def check(self) -> None:
        self._mixed()
        previous: Logical | None = None
        for line in self.lines:
            self._indent(line, previous)
            self._header(line)
            previous = line
        if previous is not None and previous.opens:
            self._bodiless(previous)

    def _mixed(self) -> None:
        tabs = [line for line in self.lines if "\t" in line.indent]
        spaces = [line for line in self.lines if " " in line.indent]
        if tabs and spaces:
            later = max(tabs[0], spaces[0], key=lambda line: line.number)
            self._complain(later, "tabs and spaces are mixed in the indentation", "use four spaces")

    def _complain(self, line: Logical, what: str, hint: str = "") -> None:
        self.sound = False
        span = Span(line.number, 1, line.number, len(line.indent) + 2)
        line.found.append(errors.indentation(span, what, hint))

    def _bodiless(self, line: Logical) -> None:
        if not line.found:
            self.sound = False  # what follows may be meant as its block
            length = len(line.masked.rstrip())
            what = (
                f"there is nothing under this {line.keyword!r} line"
                if line.keyword
                else "there is nothing here"
            )
            line.found.append(
                errors.indentation(line.span(0, length), what, "indent its block by four spaces")
            )

    def _indent(self, line: Logical, previous: Logical | None) -> None:
        width = len(line.indent.expandtabs(8))
        if width > self.levels[-1]:
            opened = previous is not None and (previous.opens or previous.found)
            if not opened:
                self._complain(line, "this line is indented more than the one above", "align it")
            self.levels.append(width)
            self.kinds.append("")
            return
        if previous is not None and previous.opens:
            self._bodiless(previous)
        while width < self.levels[-1]:
            self.levels.pop()
            self.kinds.pop()
        if width != self.levels[-1]:
            self._complain(
                line, "this indentation matches no line above", "align it with the block it belongs to"
            )
            self.levels.append(width)
            self.kinds.append("if")

    def _header(self, line: Logical) -> None:
        keyword = line.keyword
        if keyword in ("elif", "else") and self.kinds[-1] not in ("if", "broken") and not line.found:
            line.found.append(
                errors.not_a_header(
                    line.span(0, len(keyword)), f"{keyword!r} has no 'if' before it", "align it with its if"
                )
            )
        if line.found:
            self.kinds[-1] = "broken"
        else:
            self.kinds[-1] = "if" if keyword in ("if", "elif") else ""
