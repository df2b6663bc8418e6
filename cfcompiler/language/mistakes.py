"""A file that does not parse to all its syntax errors, each recognised where it is.

The text is cut into logical lines, each is parsed by itself, and what stands between them (indentation, else without
if, a header without a body) is checked by hand. A line that fails is compared with the mistakes people make. The text
is then repaired: a broken line becomes a placeholder that complains no more, so that the rest can be checked too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from lark.exceptions import LarkError, UnexpectedCharacters, UnexpectedEOF, UnexpectedToken
from lark.indenter import DedentError

from cfcompiler import errors
from cfcompiler.errors import Diagnostic
from cfcompiler.language import parser
from cfcompiler.language.parser import MISSING
from cfcompiler.source import Source, Span


@dataclass(frozen=True, slots=True)
class Reading:
    """What a broken file says: its errors, and its text with placeholders (None where it has no structure)."""

    diagnostics: tuple[Diagnostic, ...]
    repaired: str | None


@dataclass(slots=True)
class Logical:
    """One logical line: physical lines joined by brackets, backslashes or long texts.

    `masked` is as long as `text`, with texts and comments blanked, so that patterns match only code.
    """

    number: int  # of its first physical line
    indent: str
    text: str
    masked: str
    found: list[Diagnostic] = field(default_factory=list)

    @property
    def height(self) -> int:
        return self.text.count("\n") + 1

    def span(self, start: int, end: int) -> Span:
        """Place in the file of text[start:end]."""
        line, column = self.place(start)
        end_line, end_column = self.place(max(end, start + 1))
        return Span(line, column, end_line, end_column)

    def place(self, offset: int) -> tuple[int, int]:
        offset = min(offset, len(self.text) + 1)
        before = self.text[:offset]
        rows = before.count("\n")
        column = offset - (before.rfind("\n") + 1) + 1
        return self.number + rows, column + (len(self.indent) if rows == 0 else 0)

    def offset(self, line: int, column: int) -> int:
        """Of (line, column) counted from 1 within `text`."""
        rows = self.text.split("\n")
        return sum(len(row) + 1 for row in rows[: line - 1]) + column - 1

    @property
    def keyword(self) -> str:
        match = re.match(r"[^\W\d]\w*", self.masked)
        return match.group() if match else ""

    @property
    def opens(self) -> bool:
        """It is a header whose block stands on the lines below."""
        return self.masked.rstrip().endswith(":")


def find(source: Source) -> Reading:
    """All the syntax errors of a text."""
    text = source.text.removeprefix("\ufeff")
    control = tuple(_control_characters(text))
    if control:
        return Reading(control, None)
    lines = list(_logical_lines(text.replace("\r\n", "\n")))
    for line in lines:
        if not line.found:
            line.found.extend(_of_line(line))
    structure = _Structure(lines)
    structure.check()
    diagnostics = [item for line in lines for item in line.found]
    if not diagnostics:
        end = lines[-1] if lines else Logical(1, "", "", "")
        diagnostics = [
            errors.syntax(end.span(0, 1), "this file", "write each statement on a line of its own")
        ]
    return Reading(tuple(diagnostics), _repaired(lines, text.count("\n") + 1) if structure.sound else None)


def _control_characters(text: str) -> Iterator[Diagnostic]:
    """The first control character of each line."""
    if not parser.CONTROL.search(text):
        return
    for number, row in enumerate(text.replace("\r\n", "\n").split("\n"), 1):
        match = parser.CONTROL.search(row)
        if match is not None:
            column = match.start() + 1
            yield errors.unreadable(
                Span(number, column, number, column + 1), f"control character {match.group()!r}"
            )


# logical lines

_PIECE = re.compile(
    r"""(?P<text>[rbfuRBFU]{0,2}(?:\"\"\"(?:[^\\]|\\.)*?\"\"\"|'''(?:[^\\]|\\.)*?'''
        |"(?!"")(?:[^"\\\n]|\\.)*"|'(?!'')(?:[^'\\\n]|\\.)*'))
      | (?P<long>\"\"\"|''')
      | (?P<quote>["'])
      | (?P<comment>\#[^\n]*)
      | (?P<open>[(\[{]) | (?P<close>[)\]}])
      | (?P<joined>\\\n)
      | (?P<newline>\n)
      | (?P<word>[^\W\d]\w*)
      | (?P<other>[^\S\n]+|[^"'\#()\[\]{}\\\n\w\s]+|\d\w*|.)""",
    re.VERBOSE | re.DOTALL,
)
_PAIRS = {")": "(", "]": "[", "}": "{"}
# A physical line that begins a statement, even where a bracket above it is still open.
_FRESH = re.compile(r"[ \t]*(?:(?:def|return|for|assert|elif|while|class|import)\b|if\b.*:\s*$|else\s*:)")
_BINDING = re.compile(r"([ \t]*)[^\W\d]\w*[ \t]*=(?!=)")


@dataclass(slots=True)
class _Cut:
    """The logical line being collected."""

    start: int
    number: int
    masked: list[str] = field(default_factory=list)
    brackets: list[tuple[str, int, int, int]] = field(default_factory=list)  # bracket, offset, line, column
    found: list[Diagnostic] = field(default_factory=list)


def _logical_lines(text: str) -> Iterator[Logical]:
    cut = _Cut(0, 1)
    number, row_start, position = 1, 0, 0
    while position < len(text):
        match = _PIECE.match(text, position)
        assert match is not None
        kind, piece = match.lastgroup, match.group()
        here = Span(
            number,
            position - row_start + 1,
            number,
            position - row_start + 1 + max(1, len(piece.split("\n")[0])),
        )
        position = match.end()
        if kind == "text":
            cut.masked.append(re.sub(r"[^\n]", "'", piece))
        elif kind == "long":
            cut.found.append(errors.open_text(here))
            cut.masked.append("'''" + re.sub(r"[^\n]", " ", text[position:]))
            position = len(text)
        elif kind == "quote":
            end = text.find("\n", position)
            end = len(text) if end < 0 else end
            cut.found.append(errors.open_text(here))
            cut.masked.append("'" * (end - position + 1))
            position = end
        elif kind == "comment":
            cut.masked.append(" " * len(piece))
        elif kind == "open":
            cut.brackets.append((piece, match.start(), here.line, here.column))
            cut.masked.append(piece)
        elif kind == "close":
            _close(cut, piece, here)
            cut.masked.append(piece)
        elif kind == "newline" and not _continues(cut, text, position):
            yield from _finished(cut, text, match.start())
            cut = _Cut(position, number + 1)
        else:
            cut.masked.append("\\\n" if kind == "joined" else piece)
        number += text.count("\n", match.start(), position)
        row_start = text.rfind("\n", 0, position) + 1 if "\n" in text[match.start() : position] else row_start
    yield from _finished(cut, text, len(text))


def _close(cut: _Cut, piece: str, here: Span) -> None:
    if not cut.brackets and cut.found:
        return  # one complaint of a line is enough
    if not cut.brackets:
        cut.found.append(
            errors.bracket(here, f"{piece!r} closes nothing", "remove it, or open the bracket before")
        )
    elif cut.brackets[-1][0] != _PAIRS[piece]:
        opened, _, line, column = cut.brackets.pop()
        cut.found.append(
            errors.bracket(here, f"{piece!r} does not close {opened!r} of line {line}, column {column}")
        )
    else:
        cut.brackets.pop()


def _continues(cut: _Cut, text: str, position: int) -> bool:
    """A newline inside brackets goes on, unless what follows clearly is a new statement."""
    if not cut.brackets:
        return False
    end = text.find("\n", position)
    row = text[position : len(text) if end < 0 else end]
    if _FRESH.match(row):
        return False
    binding = _BINDING.match(row)
    start = text[cut.start : cut.start + 400]
    return binding is None or len(binding.group(1)) > len(start) - len(start.lstrip(" \t"))


def _finished(cut: _Cut, text: str, end: int) -> Iterator[Logical]:
    masked = "".join(cut.masked)
    if not masked.strip() and not cut.found:
        return
    indent = re.match(r"[ \t\f]*", masked)
    width = indent.end() if indent else 0
    for opened, _, line, column in cut.brackets[:1]:
        place = Span(line, column, line, column + 1)
        cut.found.append(
            errors.bracket(place, f"{opened!r} is never closed", "close it before the line ends")
        )
    body, code = text[cut.start + width : end], masked[width:]
    yield Logical(cut.number, text[cut.start : cut.start + width], body, code[: len(body)], cut.found)


# one line

_OTHER_LANGUAGE: dict[str, tuple[str, str]] = {
    "import": ("import", "every function of the language is there already; constants come in by load"),
    "from": ("import", "every function of the language is there already; constants come in by load"),
    "while": ("while", "write `for i in range(n):` with a static n"),
    "class": ("class", "a program is made of functions"),
    "lambda": ("lambda", "write `def g(y): return ...` and use g"),
    "try": ("try", "test with `if` before the operation: an arm not taken is not evaluated"),
    "except": ("except", "test with `if` before the operation: an arm not taken is not evaluated"),
    "finally": ("finally", ""),
    "raise": ("raise", 'write `assert condition, "why"`'),
    "with": ("with", ""),
    "del": ("del", "names need not be deleted"),
    "global": ("global", "pass the value as an argument and return the new one"),
    "nonlocal": ("nonlocal", "pass the value as an argument and return the new one"),
    "yield": ("yield", "return a list"),
    "async": ("async", ""),
    "await": ("await", ""),
    "break": ("break", "loops are unrolled: choose with `if`, or return from inside the loop"),
    "continue": ("continue", "loops are unrolled: put the rest of the body under an `if`"),
    "print": ("print", "return the value"),
    "match": ("match", "write if and elif"),
    "function": ("function", "write `def f(x):`"),
    "let": ("let", "write x = 1"),
    "var": ("var", "write x = 1"),
    "const": ("const", "write x = 1"),
}
_INSIDE = re.compile(r"\b(lambda|yield|await|is|in|as|None)\b")
_OPERATORS: tuple[tuple[str, str], ...] = (
    ("&&", "write and"),
    ("||", "write or"),
    ("//", "a comment begins with #; to round a quotient down write floor(a/b)"),
    ("/*", "a comment begins with #"),
    ("<>", "write !="),
    ("=<", "write <="),
    ("=>", "write >="),
    ("===", "write =="),
    (":=", "write the assignment on a line of its own"),
    ("<<", "write x*2**n"),
    (">>", "write x/2**n"),
    ("++", "write x += 1"),
    ("--", "write x -= 1"),
    ("^", "write ** for a power"),
    ("%", "write remainder(a, b)"),
    ("&", "write and"),
    ("|", "write or"),
    ("~", "write not"),
    ("!", "write not"),
    ("?", "write a if c else b"),
    ("$", ""),
    (";", "write each statement on a line of its own"),
    ("{", "write [a, b, c] for an array"),
    ("`", ""),
)
_UNFINISHED = "x = f(x"


def _of_line(line: Logical) -> list[Diagnostic]:
    """The mistakes of one logical line that has balanced brackets."""
    text = re.sub(r"\n[ \t\f]*(?:#[^\n]*)?(?=\n|$)", "\n", line.text)
    if MISSING in line.masked:
        start = line.masked.index(MISSING)
        return [errors.bad_name(line.span(start, start + len(MISSING)), f"the name {MISSING!r} is taken")]
    try:
        parser.line(text + "\n")
    except parser.SyntaxMistake as mistake:
        known = _recognised(line)
        return [known] if known is not None else [_moved(mistake.diagnostic, line)]
    except UnexpectedCharacters as error:
        return [
            _recognised(line)
            or _unexpected(line, error.line, error.column, 1, repr(line.text[_at(line, error)]))
        ]
    except UnexpectedToken as error:
        return [_recognised(line) or _of_token(line, error)]
    except (UnexpectedEOF, DedentError, LarkError):
        return [_recognised(line) or errors.incomplete(line.span(0, len(line.text)))]
    return []


def _at(line: Logical, error: UnexpectedCharacters) -> int:
    return min(line.offset(error.line, error.column), len(line.text) - 1)


def _moved(found: Diagnostic, line: Logical) -> Diagnostic:
    """A diagnostic of the line by itself, at its place in the file."""
    span = found.span
    start = line.offset(span.line, span.column)
    end = line.offset(span.end_line, span.end_column)
    return Diagnostic(found.code, line.span(start, end), found.message, found.hint)


def _unexpected(line: Logical, row: int, column: int, width: int, what: str, hint: str = "") -> Diagnostic:
    start = line.offset(row, column)
    return errors.syntax(line.span(start, start + width), what, hint)


def _of_token(line: Logical, error: UnexpectedToken) -> Diagnostic:
    token = error.token
    if token.type in ("_NEWLINE", "$END", "_INDENT", "_DEDENT"):
        length = len(line.masked.rstrip())
        return errors.incomplete(line.span(length, length + 1), _wanted(line, length))
    text = str(token)
    shown = repr(text if len(text) <= 30 else text[:27] + "...")
    hint = "put an operator or a comma before it" if token.type in ("NAME", "NUMBER", "TEXT", "LPAR") else ""
    return _unexpected(line, token.line or 1, token.column or 1, len(text.split("\n")[0]), shown, hint)


def _wanted(line: Logical, length: int) -> str:
    return "more" if line.masked[:length].endswith((")", "]", "'")) or length == 0 else "an expression"


def _recognised(line: Logical) -> Diagnostic | None:
    """The mistake that people make which this line looks like."""
    for recognise in (
        _foreign_statement,
        _broken_header,
        _broken_assignment,
        _foreign_operator,
        _foreign_word,
    ):
        found = recognise(line)
        if found is not None:
            return found
    return None


def _foreign_statement(line: Logical) -> Diagnostic | None:
    known = _OTHER_LANGUAGE.get(line.keyword)
    if known is None or re.match(r"\w+\s*(?:[-+*/@]?=(?!=)|\(|\[|\.)", line.masked):
        return None
    name, hint = known
    return errors.not_in_language(line.span(0, len(line.keyword)), repr(name), hint)


def _broken_header(line: Logical) -> Diagnostic | None:
    code, keyword = line.masked.rstrip(), line.keyword
    if keyword == "else":
        other = re.match(r"else\s+if\b", code)
        if other:
            return errors.not_a_header(
                line.span(0, other.end()), "'else if' is not a statement", "write elif"
            )
        if code != "else" and not re.match(r"else\s*:", code):
            return errors.not_a_header(line.span(0, 4), "'else' takes no condition", "write elif, or `else:`")
    if keyword in ("elsif", "elseif"):
        return errors.not_a_header(
            line.span(0, len(keyword)), f"{keyword!r} is not a statement", "write elif"
        )
    if keyword not in ("def", "if", "elif", "else", "for"):
        return None
    if keyword in ("if", "elif"):
        wrong = _single_equals(line, code)
        if wrong is not None:
            return wrong
        then = re.search(r"\bthen\b", code)
        if then:
            return errors.not_a_header(
                line.span(then.start(), then.end()), "'then' is not a word here", "write ':'"
            )
    if keyword == "def":
        found = _broken_function(line, code)
        if found is not None:
            return found
    if keyword == "for" and not re.match(r"for\s+[^\W\d]\w*\s+in\b", code):
        return errors.not_a_header(
            line.span(0, 3), "this loop is not understood", "write `for i in range(n):`"
        )
    if not _top_level_colon(code):
        return errors.missing_colon(line.span(len(code), len(code) + 1), keyword)
    return None


def _broken_function(line: Logical, code: str) -> Diagnostic | None:
    hint = "write `def f(x, y):`"
    if not re.match(r"def\s+[^\W\d]\w*\s*\(", code):
        return errors.not_a_header(line.span(0, 3), "this function header is not understood", hint)
    star = re.search(r"[(,]\s*(\*+\s*\w*|/)", code)
    if star:
        what = f"the parameter {star.group(1)!r}"
        return errors.not_in_language(line.span(star.start(1), star.end(1)), what, "name every parameter")
    return None


def _top_level_colon(code: str) -> bool:
    depth = 0
    for c in code:
        depth += (c in "([{") - (c in ")]}")
        if c == ":" and depth == 0:
            return True
    return False


def _single_equals(line: Logical, code: str) -> Diagnostic | None:
    depth = 0
    for match in re.finditer(r"[(\[{]|[)\]}]|[=!<>:+*/-]+", code):
        piece = match.group()
        depth += (piece in "([{") - (piece in ")]}")
        if piece == "=" and depth == 0:
            return errors.assignment_in_condition(line.span(match.start(), match.end()))
        if piece.startswith(":") and depth == 0:
            return None
    return None


def _broken_assignment(line: Logical) -> Diagnostic | None:
    code = line.masked.rstrip()
    equals = [m for m in re.finditer(r"(?<![=!<>+*/@:-])=(?!=)", code) if _depth(code, m.start()) == 0]
    if not equals or line.keyword in ("def", "if", "elif", "else", "for"):
        return None
    left = code[: equals[0].start()].rstrip()
    if line.keyword in ("return", "assert"):
        return errors.assignment_in_condition(line.span(equals[0].start(), equals[0].end()))
    if len(equals) > 1:
        place = line.span(equals[1].start(), equals[1].end())
        return errors.not_in_language(place, "a chain of assignments", "write one assignment on a line")
    if left.endswith("]") or "." in left:
        return errors.mutation(line.span(0, len(left)), repr(line.text[: min(len(left), 40)]))
    annotated = re.match(r"[^\W\d]\w*\s*:", code)
    if annotated:
        hint = "write the name alone: kinds are declared for parameters"
        return errors.not_in_language(line.span(0, len(left)), "an annotated assignment", hint)
    if not re.fullmatch(r"[\s(]*[^\W\d]\w*(?:\s*,\s*[^\W\d]\w*)*[\s,)]*", left):
        return errors.mutation(
            line.span(0, max(1, len(left))), "this" if len(left) > 40 else repr(line.text[: len(left)])
        )
    if re.fullmatch(r"\d\w*", left):
        return errors.bad_name(line.span(0, len(left)), "a name does not begin with a digit")
    if equals[0].end() == len(code):
        return errors.incomplete(line.span(len(code), len(code) + 1))
    return None


def _depth(code: str, position: int) -> int:
    before = code[:position]
    return sum(map(before.count, "([{")) - sum(map(before.count, ")]}"))


def _foreign_operator(line: Logical) -> Diagnostic | None:
    code = line.masked.replace("!=", "  ")
    for operator, hint in _OPERATORS:
        start = code.find(operator)
        if start < 0 or (operator in ("++", "--") and not re.search(r"(\+\+|--)\s*(;|$)", code)):
            continue
        return errors.wrong_operator(line.span(start, start + len(operator)), operator, hint)
    return None


def _foreign_word(line: Logical) -> Diagnostic | None:
    prefixed = re.search(r"\b[rbfuRBFU]{1,2}$", line.masked.split("'", 1)[0]) if "'" in line.masked else None
    if prefixed or re.match(r"[rbfuRBFU]{1,2}['\"]", line.text):
        return errors.not_in_language(line.span(0, 1), "a text with a prefix", "write a plain text")
    match = _INSIDE.search(line.masked)
    if match is None or (match.group() == "in" and line.keyword == "for"):
        return None
    word = match.group()
    hints = {"is": "write ==", "in": "write comparisons joined by or", "None": "write a number"}
    if word == "in" and " for " in line.masked:
        place = line.span(line.masked.index(" for ") + 1, line.masked.index(" for ") + 4)
        return errors.not_in_language(place, "a comprehension", "write a loop, or array operations")
    hint = hints.get(word) or _OTHER_LANGUAGE.get(word, ("", ""))[1]
    return errors.not_in_language(line.span(match.start(), match.end()), repr(word), hint)


# between the lines


class _Structure:
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


# repair


def _repaired(lines: list[Logical], total: int) -> str:
    rows = [""] * (total + 1)
    following = [*lines[1:], None]
    for line, after in zip(lines, following, strict=True):
        has_block = after is not None and len(after.indent.expandtabs(8)) > len(line.indent.expandtabs(8))
        text = _placeholder(line, has_block) if line.found else line.text
        for index, row in enumerate((line.indent + text).split("\n")):
            rows[line.number - 1 + index] = row
    return "\n".join(rows) + "\n"


def _placeholder(line: Logical, has_block: bool) -> str:
    """Something that parses in place of a broken line, and binds the names that it would have bound."""
    function = re.match(r"def\s+([^\W\d]\w*)", line.masked)
    if function and function.group(1) not in parser.RESERVED:
        inside = line.masked[function.end() :].split(")")[0]
        words = [
            word
            for word in re.findall(r"(?:^|[(,])[\s*]*([^\W\d]\w*)", inside)
            if word not in parser.RESERVED
        ]
        head = f"def {function.group(1)}({', '.join(dict.fromkeys(words))}):"
        return head if has_block else f"{head} return {MISSING}"
    loop = re.match(r"for\s+([^\W\d]\w*)", line.masked)
    if loop and loop.group(1) not in parser.RESERVED:
        return f"for {loop.group(1)} in {MISSING}:" + ("" if has_block else " pass")
    if has_block:
        return f"if {MISSING}:"
    binding = re.match(r"([^\W\d]\w*(?:\s*,\s*[^\W\d]\w*)*)\s*(?:\*\*|[-+*/@])?=(?!=)", line.masked)
    if binding and not any(word in parser.RESERVED for word in re.findall(r"\w+", binding.group(1))):
        return f"{binding.group(1)} = {MISSING}"
    return f"return {MISSING}" if line.keyword == "return" else "pass"
