"""The parser: what each form of the grammar becomes, places, numbers, sizes, bytes."""

from __future__ import annotations

import ast
from fractions import Fraction
from pathlib import Path

import pytest

from cfcompiler.errors import CFError
from cfcompiler.language import decode, parse, recover, tree
from cfcompiler.source import Source, Span
from tests.work import calls

ROOT = Path(__file__).parent.parent


def parsed(text: str) -> tree.File:
    return parse(Source(text, "test.cf"))


def expression(text: str) -> tree.Expression:
    (statement,) = parsed(text + "\n").statements
    assert isinstance(statement, tree.Alone)
    return statement.value


def codes(text: str) -> list[str]:
    with pytest.raises(CFError) as caught:
        parsed(text)
    return [item.code for item in caught.value.diagnostics]


def shown(node: object) -> str:
    """A tree in brackets, to compare by eye."""
    match node:
        case tree.Name(text):
            return text
        case tree.Number(value):
            return str(value)
        case tree.Operation(operands, operators):
            rest = "".join(f" {op} {shown(one)}" for op, one in zip(operators, operands[1:], strict=True))
            return f"({shown(operands[0])}{rest})"
        case tree.Comparison(operands, operators):
            rest = "".join(f" {op} {shown(one)}" for op, one in zip(operators, operands[1:], strict=True))
            return f"<{shown(operands[0])}{rest}>"
        case tree.Power(base, exponent):
            return f"({shown(base)} ** {shown(exponent)})"
        case tree.Unary(operator, operand):
            return f"({operator}{shown(operand)})"
        case tree.Conjunction(operands):
            return "(" + " and ".join(map(shown, operands)) + ")"
        case tree.Disjunction(operands):
            return "(" + " or ".join(map(shown, operands)) + ")"
        case tree.Negation(operand):
            return f"(not {shown(operand)})"
        case tree.Conditional(condition, then, orelse):
            return f"({shown(then)} if {shown(condition)} else {shown(orelse)})"
        case tree.Call(function, arguments, keywords):
            named = [f"{item.name}={shown(item.value)}" for item in keywords]
            return f"{shown(function)}({', '.join([*map(shown, arguments), *named])})"
        case tree.Index(value, subscripts):
            return f"{shown(value)}[{', '.join(map(shown, subscripts))}]"
        case tree.Slice(start, stop, step):
            return ":".join("" if part is None else shown(part) for part in (start, stop, step))
        case tree.Attribute(value, name):
            return f"{shown(value)}.{name}"
        case tree.List(items):
            return f"[{', '.join(map(shown, items))}]"
        case tree.Text(value):
            return repr(value)
    raise AssertionError(node)


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("a + b*c", "(a + (b * c))"),
        ("a - b - c", "(a - b - c)"),
        ("a/b*c", "(a / b * c)"),
        ("-x**2", "(-(x ** 2))"),
        ("x**-2", "(x ** (-2))"),
        ("2**3**2", "(2 ** (3 ** 2))"),
        ("(a + b)*c", "((a + b) * c)"),
        ("a @ b @ c", "(a @ b @ c)"),
        ("a < b <= c", "<a < b <= c>"),
        ("a + 1 > b and not c < d or e", "((<(a + 1) > b> and (not <c < d>)) or e)"),
        ("a if c else b if d else e", "(a if c else (b if d else e))"),
        ("f(x, axis=0)", "f(x, axis=0)"),
        ("x[1]", "x[1]"),
        ("x[-1, 2:]", "x[(-1), 2::]"),
        ("x[::2]", "x[::2]"),
        ("W.T @ x", "(W.T @ x)"),
        ("[1, [2, 3],]", "[1, [2, 3]]"),
        ("f(g(x))[0].T", "f(g(x))[0].T"),
        ("'a' \"b\"", "'ab'"),
        ("+x", "(+x)"),
        ("not not x", "(not (not x))"),
    ],
)
def test_precedence_is_pythons(text: str, meaning: str) -> None:
    ast.parse(text)
    assert shown(expression(text)) == meaning


@pytest.mark.parametrize(
    ("text", "value", "decimal"),
    [
        ("3", Fraction(3), False),
        ("0.1", Fraction(1, 10), True),
        (".5", Fraction(1, 2), True),
        ("5.", Fraction(5), True),
        ("1e-3", Fraction(1, 1000), True),
        ("1_000", Fraction(1000), False),
        ("2.5E2", Fraction(250), True),
        ("000", Fraction(0), False),
    ],
)
def test_numbers_are_exact(text: str, value: Fraction, decimal: bool) -> None:
    node = expression(text)
    assert isinstance(node, tree.Number)
    assert (node.value, node.decimal) == (value, decimal)


@pytest.mark.parametrize("text", ["1__0", "1_", "007", "1e99999", "9" * 5000, "1_.5"])
def test_what_python_or_memory_refuses_is_no_number(text: str) -> None:
    assert codes(f"x = {text}\n") == ["CF015"]


def test_places_are_lines_and_columns_from_one() -> None:
    file = parsed("def f(x):\n    y = x + relu(x)\n    return y\n")
    statement = file.functions["f"].block[0]
    assert isinstance(statement, tree.Assignment)
    assert statement.span == Span(2, 5, 2, 20)
    value = statement.value
    assert isinstance(value, tree.Operation)
    assert value.operands[1].span == Span(2, 13, 2, 20)


def test_a_call_over_several_lines_is_one_statement() -> None:
    file = parsed("def f(x):\n    return (x +\n  # why\n\n        1)\n")
    assert len(file.functions["f"].block) == 1


def test_a_backslash_joins_lines() -> None:
    assert len(parsed("def f(x):\n    return x + \\\n        1\n").functions["f"].block) == 1


def test_comments_and_blank_lines_mean_nothing() -> None:
    text = "# first\n\n\ndef f(x):  # here\n  # odd indentation\n\n    # more\n    return x\n        # last"
    assert len(parsed(text).functions["f"].block) == 1


def test_a_block_may_stand_on_the_line_of_its_header() -> None:
    (function,) = parsed("def f(x):\n    if x > 0: return 1\n    else: return 2\n").statements
    assert isinstance(function, tree.Function)
    assert isinstance(function.block[0], tree.Branch)


def test_parameters_have_annotations_and_defaults() -> None:
    text = "def f(x, y: Real[3, n], n: Int = 4, *, k) -> Real: return x\n"
    assert codes(text) == ["CF009"]
    function = parsed(text.replace(" *,", "")).functions["f"]
    assert [item.name for item in function.parameters] == ["x", "y", "n", "k"]
    assert shown(function.parameters[1].annotation) == "Real[3, n]"
    assert shown(function.parameters[2].default) == "4"
    assert shown(function.returns) == "Real"


def test_decorators_are_read() -> None:
    assert list(parsed("@cfcompiler.ir\n@other(1)\ndef f(x):\n    return x\n").functions) == ["f"]


def test_windows_line_ends_and_byte_order_marks_are_read() -> None:
    assert list(parse(decode(b"\xef\xbb\xbfdef f(x):\r\n    return x\r\n", "f.cf")).functions) == ["f"]


def test_greek_letters_are_names() -> None:
    assert list(parsed("def f(\u03b8):\n    return \u03b8\n").functions) == ["f"]


def test_a_name_in_a_compatibility_spelling_is_refused() -> None:
    assert codes("def f(\ufb01x):\n    return 1\n") == ["CF016"]


@pytest.mark.parametrize("word", ["while", "class", "lambda", "None", "yield", "del", "try", "with", "is"])
def test_pythons_keywords_name_nothing(word: str) -> None:
    for text in (f"{word} = 1\n", f"def f({word}):\n    return 1\n", f"def f(x):\n    return {word}\n"):
        with pytest.raises(CFError):
            parsed(text)


@pytest.mark.parametrize(
    "data",
    [b"\x00\x01\x02", bytes(range(256)) * 50, b"\xff\xfe", "def f(x):\n    return x\u2028".encode(), b"a\rb"],
)
def test_what_is_not_text_is_a_complaint(data: bytes) -> None:
    with pytest.raises(CFError) as caught:
        parse(decode(data, "junk"))
    assert {item.code for item in caught.value.diagnostics} == {"CF002"}


@pytest.mark.parametrize("character", ["$", "x", "9", "'", "(", " ", "#", "\t", "-", '"""', "[", ")"])
def test_a_line_of_megabytes_is_answered(character: str) -> None:
    source = Source("y = " + character * (10_000_000 if character in "$x9# " else 300_000), "long.cf")
    _, found = recover(source)
    assert all(len(item.render(source)) < 1_000 for item in found)


@pytest.mark.parametrize("count", [5_000, 50_000])
def test_brackets_nest_to_any_depth(count: int) -> None:
    assert shown(expression("(" * count + "x" + ")" * count)) == "x"


def test_all_syntax_errors_of_a_file_are_reported() -> None:
    text = (ROOT / "tests" / "bad" / "all_syntax_errors.cf").read_text(encoding="utf-8")
    assert codes(text) == ["CF009", "CF010", "CF001", "CF008", "CF001"]


def test_what_can_be_read_of_a_broken_file_is_read() -> None:
    file, found = recover(Source("def f(x):\n    y = x^2\n    return y\n", "f.cf"))
    assert [item.code for item in found] == ["CF010"]
    assert file is not None
    statement = file.functions["f"].block[0]
    assert isinstance(statement, tree.Assignment)
    assert isinstance(statement.value, tree.Missing)


def test_a_message_of_a_long_line_shows_its_part() -> None:
    with pytest.raises(CFError) as caught:
        parsed("def f(x):\n    return " + "x + " * 50_000 + "$\n")
    assert len(str(caught.value)) < 1_000
    assert "$" in str(caught.value)


@pytest.mark.parametrize("path", sorted((ROOT / "examples").glob("*.cf")), ids=lambda path: path.stem)
def test_examples_are_valid_python(path: Path) -> None:
    ast.parse(path.read_text(encoding="utf-8"))


def test_the_prelude_is_valid_python() -> None:
    ast.parse((ROOT / "cfcompiler" / "prelude.cf").read_text(encoding="utf-8"))


def test_parsing_grows_linearly() -> None:
    def work(lines: int) -> int:
        text = (
            "def f(a, b, c):\n" + "".join(f"    t{i} = a*b + c\n" for i in range(lines)) + "    return t1\n"
        )
        return calls(lambda: parsed(text))

    work(1)  # what is read once
    assert work(8_000) < 4.2 * work(2_000)
