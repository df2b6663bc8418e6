"""A user's mistake to a message: place, what is wrong, what was expected, one hint. All wording is here.

    Exception
    ├── CFError            the diagnostics of one source: all that a user's mistake raises
    └── (anything else)    a bug of the compiler

Each function below makes one `Diagnostic`; each code is explained at length, with a wrong and a right program, in
explanations.toml, which `cfc explain` prints. Messages are lower case without a full stop.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence

# Everybody imports these from here.
from cfcompiler.diagnostics import PRINTED as PRINTED
from cfcompiler.diagnostics import CFError as CFError
from cfcompiler.diagnostics import Diagnostic as Diagnostic
from cfcompiler.diagnostics import Explanation as Explanation
from cfcompiler.diagnostics import explain as explain
from cfcompiler.diagnostics import explanations as explanations
from cfcompiler.diagnostics import meant_code as meant_code
from cfcompiler.source import NOWHERE, Span


def nearest(name: str, known: Iterable[str]) -> str:
    """The known name that `name` is probably a slip of, or ""."""
    known = list(dict.fromkeys(known))
    close = difflib.get_close_matches(name, known, 1, 0.6)
    if not close:
        close = [item for item in known if item.lower() == name.lower()]
    return close[0] if close else ""


def _meant(name: str, known: Iterable[str]) -> str:
    close = nearest(name, known)
    return f"did you mean {close!r}?" if close else ""


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" + ("" if number == 1 else "s")


# the text of a file: CF001 to CF029


def syntax(span: Span, found: str, hint: str = "") -> Diagnostic:
    return Diagnostic("CF001", span, f"{found} does not belong here", hint)


def incomplete(span: Span, expected: str = "an expression") -> Diagnostic:
    return Diagnostic("CF001", span, f"the line ends where {expected} was expected")


def unreadable(span: Span, what: str) -> Diagnostic:
    return Diagnostic("CF002", span, f"{what} in a program", "a .cf file is UTF-8 text")


def no_function(span: Span) -> Diagnostic:
    return Diagnostic(
        "CF003", span, "there is no function in this file", "write def f(x): and a return under it"
    )


def indentation(span: Span, what: str, hint: str = "") -> Diagnostic:
    return Diagnostic("CF004", span, what, hint)


def missing_colon(span: Span, keyword: str) -> Diagnostic:
    return Diagnostic("CF005", span, f"expected ':' at the end of this {keyword!r} line", "put ':' here")


def bracket(span: Span, what: str, hint: str = "") -> Diagnostic:
    return Diagnostic("CF006", span, what, hint)


def open_text(span: Span) -> Diagnostic:
    return Diagnostic("CF007", span, "this text is not closed", "close it with the quote it begins with")


def assignment_in_condition(span: Span) -> Diagnostic:
    return Diagnostic("CF008", span, "'=' is not a comparison", "write '==' to compare")


def not_in_language(span: Span, what: str, hint: str) -> Diagnostic:
    return Diagnostic("CF009", span, f"{what} is not part of the language", hint)


def wrong_operator(span: Span, operator: str, hint: str) -> Diagnostic:
    return Diagnostic("CF010", span, f"there is no operator {operator!r}", hint)


def out_of_place(span: Span, what: str, hint: str = "") -> Diagnostic:
    return Diagnostic("CF011", span, what, hint)


def unknown_name(span: Span, name: str, known: Iterable[str]) -> Diagnostic:
    shown = name if len(name) <= 60 else f"{name[:57]}..."
    return Diagnostic("CF012", span, f"unknown name {shown!r}", _meant(shown, known))


def no_effect(span: Span) -> Diagnostic:
    return Diagnostic(
        "CF013", span, "the value of this line is not used", "assign it to a name, or return it"
    )


def too_deep(span: Span) -> Diagnostic:
    return Diagnostic("CF014", span, "this is nested too deeply", "give parts of it names of their own")


def bad_number(span: Span, text: str, hint: str) -> Diagnostic:
    shown = text if len(text) <= 30 else text[:27] + "..."
    return Diagnostic("CF015", span, f"{shown!r} is not a number of the language", hint)


def bad_name(span: Span, what: str, hint: str = "") -> Diagnostic:
    return Diagnostic("CF016", span, what, hint)


def mutation(span: Span, what: str) -> Diagnostic:
    return Diagnostic(
        "CF017",
        span,
        f"{what} cannot be assigned to",
        "arrays do not change: build a new one and give it a name",
    )


def annotation(span: Span, hint: str = "") -> Diagnostic:
    expected = "Real, Real[3], Real[2, 4], Const, Const[5] or Int"
    return Diagnostic("CF018", span, "this annotation is not understood", hint or f"write {expected}")


def text_as_value(span: Span) -> Diagnostic:
    return Diagnostic(
        "CF019", span, "a text is not a number", "texts are for load, ties, docstrings and assert messages"
    )


def not_a_header(span: Span, what: str, hint: str) -> Diagnostic:
    return Diagnostic("CF020", span, what, hint)


# names and calls: CF030 to CF049


def not_a_function(span: Span, what: str, hint: str = "") -> Diagnostic:
    return Diagnostic("CF030", span, f"{what} is not a function", hint)


def wrong_arguments(span: Span, function: str, what: str, signature: str) -> Diagnostic:
    return Diagnostic("CF031", span, f"{function} {what}", f"it is {signature}" if signature else "")


def recursion(span: Span, cycle: Sequence[str]) -> Diagnostic:
    chain = " calls ".join(cycle)
    return Diagnostic(
        "CF032", span, f"recursion: {chain}", "write a loop over range(...) with a static bound"
    )


def unbound_on_a_path(span: Span, name: str) -> Diagnostic:
    return Diagnostic(
        "CF033", span, f"{name!r} has no value on one of the paths that lead here", "assign it on every path"
    )


def missing_return(span: Span, function: str) -> Diagnostic:
    return Diagnostic(
        "CF034",
        span,
        f"{function!r} ends without a return on one of its paths",
        "return a value on every path",
    )


def unpacking(span: Span, targets: int, values: str) -> Diagnostic:
    return Diagnostic("CF035", span, f"{_count(targets, 'name')} for {values}")


def unreachable(span: Span) -> Diagnostic:
    return Diagnostic("CF036", span, "nothing after a return is reached", "remove it, or put the return last")


def unknown_function(name: str, known: Sequence[str]) -> Diagnostic:
    hint = _meant(name, known) or "the functions here are " + ", ".join(known)
    return Diagnostic("CF037", NOWHERE, f"there is no function {name!r} in this file", hint)


def too_large(span: Span, limit: int) -> Diagnostic:
    return Diagnostic(
        "CF038",
        span,
        f"unrolled, this program has more than {limit:,} operations",
        "use arrays in place of loops",
    )


def too_long(span: Span, limit: int) -> Diagnostic:
    return Diagnostic(
        "CF038",
        span,
        f"this text has more than {limit:,} operators and commas",
        "use loops and arrays; constants come in by load",
    )


def too_wide(span: Span, shape: str) -> Diagnostic:
    return Diagnostic("CF038", span, f"an array of shape {shape} does not fit into memory")


def no_memory() -> Diagnostic:
    return Diagnostic("CF038", NOWHERE, "this does not fit into memory", "try it with smaller arrays")


def no_value(span: Span, what: str) -> Diagnostic:
    return Diagnostic("CF039", span, f"{what} has no value that can be used here")


# shapes and kinds: CF050 to CF069


def shapes(span: Span, what: str, hint: str = "") -> Diagnostic:
    return Diagnostic("CF050", span, what, hint)


def index_out_of_range(span: Span, index: int, size: int) -> Diagnostic:
    last = f"valid indices are 0 to {size - 1}, or -{size} to -1" if size else "this axis is empty"
    return Diagnostic(
        "CF051",
        span,
        f"index {index} is out of range for {_count(size, 'entry').replace('entrys', 'entries')}",
        last,
    )


def bad_index(span: Span, what: str, hint: str = "") -> Diagnostic:
    return Diagnostic("CF052", span, what, hint)


def condition_as_number(span: Span) -> Diagnostic:
    return Diagnostic("CF053", span, "a condition is not a number", "write (1 if condition else 0)")


def number_as_condition(span: Span) -> Diagnostic:
    return Diagnostic("CF054", span, "a number is not a condition", "compare it, as in x != 0")


def array_condition(span: Span) -> Diagnostic:
    return Diagnostic(
        "CF055", span, "a condition of `if` is one truth value, not an array", "use where(condition, a, b)"
    )


def arms_differ(span: Span, then: str, orelse: str) -> Diagnostic:
    return Diagnostic(
        "CF056", span, f"the two arms have the shapes {then} and {orelse}", "give both arms one shape"
    )


def bad_axis(span: Span, axis: int, rank: int) -> Diagnostic:
    what = f"axis {axis} does not exist: the array has {_count(rank, 'axis').replace('axiss', 'axes')}"
    return Diagnostic("CF057", span, what if rank else "a scalar has no axes")


def argument_shape(span: Span, parameter: str, wanted: str, found: str) -> Diagnostic:
    return Diagnostic("CF058", span, f"{parameter!r} is declared {wanted}, and this is {found}")


def empty_array(span: Span, what: str) -> Diagnostic:
    return Diagnostic("CF059", span, f"{what} of an empty array")


# what must be known when the program is compiled: CF070 to CF079


def not_static(span: Span, what: str, hint: str = "") -> Diagnostic:
    return Diagnostic("CF070", span, f"{what} must be known when the program is compiled", hint)


def division_by_zero(span: Span) -> Diagnostic:
    return Diagnostic(
        "CF071", span, "division by zero between constants", "write inf or nan if that is meant"
    )


def false_assertion(span: Span, why: str) -> Diagnostic:
    return Diagnostic("CF072", span, "this assertion never holds" + (f": {why}" if why else ""))


def static_input(span: Span, name: str, what: str) -> Diagnostic:
    return Diagnostic("CF073", span, f"the static input {name!r} {what}", "write a default, as in n: Int = 4")


def input_default(span: Span, name: str) -> Diagnostic:
    hint = f"remove it, write {name}: Int = ... if it is fixed, or call this function from one that has no {name!r}"
    return Diagnostic(
        "CF040", span, f"the input {name!r} gets its value at a point: its default is never used", hint
    )


def unknown_static(name: str, known: Sequence[str]) -> Diagnostic:
    return Diagnostic("CF073", NOWHERE, f"there is no static input {name!r}", _meant(name, known))


# files and ties: CF080 to CF089


def unreadable_file(span: Span, path: str, reason: str) -> Diagnostic:
    return Diagnostic("CF080", span, f"cannot read {path!r}: {reason}")


def no_array(span: Span, path: str, name: str, known: Sequence[str]) -> Diagnostic:
    hint = _meant(name, known) or ("it holds " + ", ".join(known) if known else "it is empty")
    return Diagnostic("CF081", span, f"there is no array {name!r} in {path!r}", hint)


def unknown_preset(span: Span, name: str, known: Sequence[str]) -> Diagnostic:
    hint = _meant(name, known) or "the presets are " + ", ".join(known)
    return Diagnostic("CF082", span, f"unknown tie preset {name!r}", hint)


def unknown_rule(name: str, known: Sequence[str]) -> Diagnostic:
    return Diagnostic(
        "CF083", NOWHERE, f"unknown tie rule {name!r}", _meant(name, known) or "`cfc ties` lists them"
    )


def bad_rule(name: str, value: str, expected: str) -> Diagnostic:
    return Diagnostic("CF084", NOWHERE, f"the tie rule {name!r} cannot be {value!r}", f"write {expected}")


def bad_array(span: Span, name: str, what: str) -> Diagnostic:
    return Diagnostic("CF085", span, f"the array {name!r} {what}")


# points and the command line: CF090 to CF099


def unknown_input(name: str, known: Sequence[str]) -> Diagnostic:
    listed = "the inputs are " + ", ".join(known) if known else "it has no inputs at all"
    return Diagnostic("CF090", NOWHERE, f"the program has no input {name!r}", _meant(name, known) or listed)


def missing_input(name: str, example: str) -> Diagnostic:
    return Diagnostic("CF090", NOWHERE, f"the input {name!r} has no value", f"write {name}={example}")


def no_point(reason: str, example: str) -> Diagnostic:
    message = f"a comparison needs a point where the strata are not known: {reason}"
    return Diagnostic("CF090", NOWHERE, message, f"write {example}")


def bad_value(name: str, value: str, reason: str = "") -> Diagnostic:
    shown = value if len(value) <= 40 else value[:37] + "..."
    what = f"the value {shown!r} of {name!r} is not understood" + (f": {reason}" if reason else "")
    return Diagnostic("CF091", NOWHERE, what, "write a number, a fraction such as 1/3, or a list of them")


def outside_domain(span: Span, why: str) -> Diagnostic:
    return Diagnostic("CF092", span, "the point is outside the domain" + (f": {why}" if why else ""))


def point_shape(name: str, wanted: str, found: str, example: str) -> Diagnostic:
    what = f"the input {name!r} is {wanted}, and its value is {found}"
    return Diagnostic("CF093", NOWHERE, what, f"write {name}={example}")


def undecided(span: Span, reason: str) -> Diagnostic:
    return Diagnostic(
        "CF094", span, f"exact arithmetic does not decide this: {reason}", "try a simpler point"
    )


def foreign_file(path: str) -> Diagnostic:
    return Diagnostic(
        "CF095", NOWHERE, f"{path} was not written by cfc and is left alone", "--force overwrites it"
    )


def cannot_write(path: str, reason: str) -> Diagnostic:
    return Diagnostic("CF096", NOWHERE, f"cannot write {path}: {reason}")


def cannot_read(path: str, reason: str, meant: str = "") -> Diagnostic:
    hint = f"did you mean {meant}?" if meant else ""
    return Diagnostic("CF097", NOWHERE, f"cannot read {path}: {reason}", hint)


def missing_package(package: str, extra: str) -> Diagnostic:
    hint = f"install it: pip install {package} (in a clone of this project: pip install -e '.[{extra}]')"
    return Diagnostic("CF098", NOWHERE, f"{package} is not installed, and this needs it", hint)


def bad_option(what: str, hint: str = "") -> Diagnostic:
    return Diagnostic("CF098", NOWHERE, what, hint)
