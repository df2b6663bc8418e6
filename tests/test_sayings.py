"""What is said of input that would be passed over in silence: idle rules, unknown keys, slips of the command line."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import pytest

from cfcompiler import cli
from cfcompiler import compile as compile_
from cfcompiler.errors import CFError
from cfcompiler.language import idle_rules

OF_ARRAY = "def f(x: Real[3]):\n    return max(x)\n"
OF_TWO = "def f(x, y):\n    return max(x, y)\n"
OF_THREE = "def f(x, y, z):\n    return max(x, y, z)\n"


@pytest.mark.parametrize(
    ("text", "rule", "said"),
    [
        (OF_ARRAY, "max=first", "this program has reduce_max, not max"),
        (OF_ARRAY, "reduce_max=first", ""),
        (OF_ARRAY, "relu=2", "this program has reduce_max, not relu"),
        (OF_TWO, "max=1,2,3", "the max of this program is of two arguments, and takes a number"),
        (OF_TWO, "max=first", ""),
        (OF_TWO, "max=1/3", ""),
        (OF_THREE, "max=1/3", "of more than two arguments, and takes first"),
        (OF_THREE, "max=1,2,3", ""),
        (OF_THREE, "max=split", ""),
        (OF_TWO, "modes=one", ""),
        (OF_TWO, "where=mul", "this program has max, not where"),
        ("def f(x):\n    return where(x > 0, x, 0)\n", "where=mul", ""),
        ("def f(x):\n    return where(x > 0, x, 0)\n", "where=strong", ""),
        ("def f(x):\n    return sqrt(x)\n", "sqrt=0", ""),
        ("def f(x):\n    return x*x\n", "sqrt=0", "this program has no operation with a tie rule"),
        ("def f(x):\n    return x**2\n", "pow=plain", ""),
        ("def f(x: Real[3]):\n    return sum(topk(x, 2))\n", "topk=last", ""),
        ("def f(x: Real[3]):\n    return sum(topk(x, 2))\n", "sort=last", "this program has topk, not sort"),
        ("def f(x):\n    return relu(x) + abs(x)\n", "max=first", "this program has abs, relu, not max"),
    ],
)
def test_a_rule_without_use_is_told(text: str, rule: str, said: str) -> None:
    name, value = rule.split("=")
    found = list(idle_rules(compile_(text, overrides={name: value}).program, {name: value}))
    assert bool(found) == bool(said)
    assert all(line.startswith(f"--tie {rule} has no use here: ") and said in line for line in found)


@pytest.mark.parametrize("preset", ["jax", "tensorflow", "casadi"])
def test_a_rule_that_changes_the_program_is_never_without_use(preset: str) -> None:
    texts = {
        "relu": "relu(x[0])",
        "abs": "abs(x[0])",
        "huber": "huber(x[0], 1)",
        "hardtanh": "hardtanh(x[0])",
        "clip": "clip(x[0], 0, 1)",
        "min": "min(x[0], x[1])",
        "reduce_min": "min(x)",
        "median": "median(x)",
        "cummax": "sum(cummax(x))",
        "sort": "sort(x)[0]",
    }
    for name, text in texts.items():
        program = f"def f(x: Real[3]):\n    return {text}\n"
        for value in ("first", "last"):
            changed = compile_(program, preset=preset, overrides={name: value}).program
            assert list(idle_rules(changed, {name: value})) == [], (name, value)


def test_the_note_is_on_standard_error_and_no_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "m.cf"
    path.write_text(OF_ARRAY, encoding="utf-8")
    assert cli.main(["at", str(path), "x=[1,1,0]", "--tie", "max=first"]) == 0
    out, err = capsys.readouterr()
    assert "verdict" in out
    assert err == "cfc: note: --tie max=first has no use here: this program has reduce_max, not max\n"


def answers(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *cases: dict[str, object]
) -> list[dict[str, dict[str, object]]]:
    text = "".join(json.dumps(case) + "\n" for case in cases)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode()), encoding="utf-8"))
    assert cli.main(["at", "--jsonl", "-"]) == 0
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_a_key_that_a_case_does_not_have_is_an_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    case = {"id": 7, "source": OF_TWO, "point": {"x": 0, "y": 0}}
    wrong, far, right = answers(monkeypatch, capsys, {**case, "tie": "jax"}, {**case, "colour": 1}, case)
    message = (
        "a case has no key 'tie': it has id, source, function, static, point, ties; did you mean 'ties'?"
    )
    assert wrong == {
        "id": 7,
        "error": {"code": "CF098", "message": message, "line": None, "column": None},
    }
    assert "did you mean" not in str(far["error"]["message"])
    assert right["ad"]["backward"] == {"x": "1/2", "y": "1/2"}


def test_rules_of_a_case_may_stand_over_a_preset(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    case = {"source": "def f(x):\n    return relu(x) + abs(x)\n", "point": {"x": 0}}
    maps = [
        {"relu": "1/2"},
        {"preset": "jax", "relu": "1/2"},
        {"preset": "jax"},
        {"preset": "jaks"},
        {"preset": 3},
    ]
    over_file, over_jax, jax, unknown, number = answers(
        monkeypatch, capsys, *[{**case, "ties": one} for one in maps]
    )
    assert [one["ties"] for one in (over_file, over_jax, jax)] == ["torch, relu=1/2", "jax, relu=1/2", "jax"]
    assert over_jax["ad"]["backward"] == {"x": "3/2"}
    assert unknown["error"]["code"] == "CF082"
    assert number["error"]["code"] == "CF098"


def said(text: str, **options: object) -> str:
    with pytest.raises(CFError) as caught:
        compile_(text, **options)
    return str(caught.value)


def test_a_rule_with_a_wrong_gate_names_the_gates() -> None:
    assert ":mul or :select" in said(OF_TWO, overrides={"max": "1/2:foo"})


def test_inputs_without_a_value_stand_in_order() -> None:
    with pytest.raises(CFError) as caught:
        compile_(OF_THREE).at()
    assert [item.message.split("'")[1] for item in caught.value.diagnostics] == ["x", "y", "z"]


@pytest.mark.parametrize(
    ("code", "meant"),
    [("CF12", "CF012"), ("12", "CF012"), ("cf0012", "CF012"), ("xyz", "lists")],
)
def test_a_slip_of_a_code(code: str, meant: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["explain", code]) == 2
    assert meant in capsys.readouterr().err


@pytest.mark.parametrize("result", ["return [relu(x), x*x]", "return x, x*x"])
def test_a_module_of_order_2_says_why_it_has_no_hessian(result: str) -> None:
    program = compile_(f"def f(x):\n    {result}\n")
    for call in (
        lambda: program.hvp((1.0,), (1.0,)),
        lambda: program.hessian(1.0),
        lambda: program.grad(1.0),
    ):
        with pytest.raises(TypeError, match="and so no gradient: use vjp or jvp"):
            call()


def test_a_long_program_of_two_results_has_no_hessian_either() -> None:
    text = "def f(x):\n    y = x\n    for i in range(4100):\n        y = sin(y)\n    return x, y\n"
    with pytest.raises(TypeError, match="and so no gradient"):
        compile_(text).hessian(1.0)


def test_the_module_says_by_which_inputs_it_differentiates() -> None:
    module = compile_("def f(x, k: Const):\n    return k*x*x\n").module(order=2)
    assert "the derivative by each differentiable input, by the backward program" in module
    assert "has a cotangent for each differentiable input" in module
    assert "the Hessian times the direction" in module
    assert "the derivative by each input, by" in compile_(OF_TWO).module()


@pytest.mark.parametrize("point", [["1", "nan", "0"], ["inf", "1", "0"]])
def test_where_the_value_is_not_finite_no_steep_slope_is_blamed(
    point: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "m.cf"
    path.write_text(OF_ARRAY, encoding="utf-8")
    assert cli.main(["at", str(path), f"x=[{','.join(point)}]"]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "the value of f is not finite here" in shown and "without bound" not in shown


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("x[argmin(x)]", "argmin"),
        ("x[argmax(x)]", "argmax"),
        ("sum(cummin(x))", "cummin"),
        ("sum(cummax(x))", "cummax"),
    ],
)
def test_a_tied_ordering_is_called_as_it_is_written(text: str, word: str) -> None:
    program = compile_(f"def f(x: Real[2]):\n    return {text}\n")
    report = program.at(x=[1, 1])
    assert {tie.op for tie in report.ties_here} == {word}
    assert {guard.op for guard in program.strata().guards} == {word}


def test_near_a_jump_no_constant_is_advised(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    steep, jump = tmp_path / "steep.cf", tmp_path / "jump.cf"
    steep.write_text("def f(x):\n    return sqrt(abs(x))\n", encoding="utf-8")
    jump.write_text("def f(x, y):\n    return sign(x)*y\n", encoding="utf-8")
    helps = {}
    for path in (steep, jump):
        assert cli.main(["check", str(path), "--select", "CF106"]) == 1
        helps[path] = capsys.readouterr().out
    assert "or add a small constant" in helps[steep]
    assert "jumps" in helps[jump] and "add a small constant" not in helps[jump]
    assert "let both arms have one value where they meet nearby" in helps[jump]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("def f(x):\n    return (x > 0) * x\n", "        return (x > 0) * x\n                ^^^^^\n"),
        ("def f(x):\n    return x * (x > 0)\n", "        return x * (x > 0)\n                    ^^^^^\n"),
        ("def f(x):\n    return 2*x - 'a'\n", "        return 2*x - 'a'\n                     ^^^\n"),
        ('def f(x):\n    return "a"\n', '        return "a"\n               ^^^\n'),
        ("def f(x):\n    return x > 0\n", "        return x > 0\n               ^^^^^\n"),
        (
            "def f(x: Real[3]):\n    x[0] += 1\n    return sum(x)\n",
            "error CF017: 'x[0]' cannot be assigned to",
        ),
        ("def f(x):\n    s = f'{x}'\n    return x\n", "2:9: error CF009: a text with a prefix"),
        ("def f(x: Real[3]):\n    return sum(topk(x, 5))\n", "topk cannot take 5 of 3 entries\n"),
        ("def f(x: Real[3]):\n    return sum(topk(x, 5))\n", "hint: k is 1 to 3"),
        ("def f(x: Real[3], y: Real[2]):\n    return dot(x, y)\n", "dot of Real[3] and Real[2]: 3 is not 2"),
        (
            "def f(x: Real[n], n: Int = 3):\n    return sum(x)\n",
            "hint: put n: Int first, and give it with --static n=3",
        ),
        (
            "def f(x: Real[3]):\n    s = 0\n    for v in x:\n        s += v\n    return s\n",
            "hint: write `for i in range(len(x)):`, and x[i]",
        ),
    ],
)
def test_a_mistake_is_shown_where_it_is_with_what_to_write(text: str, wanted: str) -> None:
    assert wanted in said(text) + "\n"


def test_what_the_hints_say_compiles() -> None:
    given = "def f(n: Int, x: Real[n]):\n    return sum(x)\n"
    assert compile_(given, static={"n": 3}).value([1.0, 2.0, 3.0]) == 6
    above = "n = 3\n\ndef f(x: Real[n]):\n    return sum(x)\n"
    assert compile_(above).value([1.0, 2.0, 3.0]) == 6
    loop = "def f(x: Real[3]):\n    s = 0\n    for i in range(len(x)):\n        s += x[i]\n    return s\n"
    assert compile_(loop).value([1.0, 2.0, 3.0]) == 6


def test_a_try_is_no_missing_return() -> None:
    text = "def f(x):\n    try:\n        return x\n    except ValueError:\n        return 0\n"
    assert "CF034" not in said(text) and "'try' is not part of the language" in said(text)
    assert "CF034" in said("def f(x):\n    if x > 0:\n        return x\n")


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (("complie", "early.cf"), "did you mean 'compile'?"),
        (("compile", "early"), "did you mean early.cf?"),
        (("compile", "early.cf", "--emit", "modul"), "did you mean 'module'?"),
    ],
)
def test_a_slip_of_the_command_line(
    words: tuple[str, ...],
    hint: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "early.cf").write_text(OF_TWO, encoding="utf-8")
    assert cli.main(words) == 2
    assert hint in capsys.readouterr().err


def otherwise(tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, point: str) -> list[str]:
    path = tmp_path / "w.cf"
    path.write_text(text, encoding="utf-8")
    assert cli.main(["at", str(path), point]) == 0
    return [line.split("|")[1].strip() for line in capsys.readouterr().out.splitlines() if "AD would" in line]


def test_two_choices_that_differ_late_do_not_read_alike(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wide = "def f(x: Real[14]):\n    return max(x)\n"
    assert otherwise(tmp_path, capsys, wide, f"x=[{'0,' * 12}1,1]") == [
        "with the first entry AD would have x[12] = 1, x[13] = 0,",
        "with the last entry AD would have x[12] = 0, x[13] = 1",
    ]


def test_of_several_outputs_what_would_change_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = "def f(x: Real[3]):\n    return 100*x, max(x)\n"
    first, last = otherwise(tmp_path, capsys, text, "x=[0,1,1]")
    assert first == "with the first entry AD would have [3] x[1] = 1, [3] x[2] = 0,"
    assert last == "with the last entry AD would have [3] x[1] = 0, [3] x[2] = 1"
