"""One logical line that does not parse to the mistake that people make which it looks like.

Words and operators of other languages, headers without a colon, `=` in a condition, assignment to an entry. What is
not recognised is complained of where the grammar stopped.
"""

from __future__ import annotations

import re

from lark.exceptions import LarkError, UnexpectedCharacters, UnexpectedEOF, UnexpectedToken
from lark.indenter import DedentError

from cfcompiler import errors
from cfcompiler.errors import Diagnostic
from cfcompiler.language import grammar
from cfcompiler.language.literals import MISSING, SyntaxMistake
from cfcompiler.language.logical_lines import Logical

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


def mistakes_of(line: Logical) -> list[Diagnostic]:
    """The mistakes of one logical line that has balanced brackets."""
    text = re.sub(r"\n[ \t\f]*(?:#[^\n]*)?(?=\n|$)", "\n", line.text)
    if MISSING in line.masked:
        start = line.masked.index(MISSING)
        return [errors.bad_name(line.span(start, start + len(MISSING)), f"the name {MISSING!r} is taken")]
    try:
        grammar.line(text + "\n")
    except SyntaxMistake as mistake:
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
    changed = re.match(r"(.*?[\])])\s*(?:\*\*|[-+*/@])=(?!=)", code, re.DOTALL)
    if changed and not equals and _depth(code, changed.end(1)) == 0:
        left = changed.group(1)
        return errors.mutation(line.span(0, len(left)), repr(line.text[: min(len(left), 40)]))
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
    for text in re.finditer("'+", line.masked):  # a prefix is masked with its text
        prefix = re.match(r"[rbfuRBFU]{1,2}(?=['\"])", line.text[text.start() :])
        if prefix:
            place = line.span(text.start(), text.start() + prefix.end())
            return errors.not_in_language(place, "a text with a prefix", "write a plain text")
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
