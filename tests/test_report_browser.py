"""`cfc report` in a real browser: it loads without a complaint, what moves is right, the keyboard is enough."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from random import Random
from typing import Any

import pytest

from cfcompiler.analyses import lesson_pictures
from cfcompiler.compiler import Compiled, compile_file, compile_text
from cfcompiler.number_text import parse_number
from cfcompiler.numbers import to_float
from tests.page_browser import browser, complaints, missing, open_page

pytestmark = pytest.mark.skipif(bool(missing()), reason=missing() or "there is a browser")
Pages = Callable[[str], Path]

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"
PROGRAMS = (
    "trap",
    "khan_barton",
    "softplus_relu_abs",
    "where_sqrt",
    "max_regrouped",
    "golden_relu",
    "log_add_exp",
)


@pytest.fixture(scope="module")
def driver() -> Iterator[Any]:
    with browser() as found:
        yield found


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Pages:
    """The page of an example, made when it is first wanted, for all processes of the run."""
    folder = tmp_path_factory.getbasetemp()
    folder = (folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder) / "pages"
    folder.mkdir(exist_ok=True)

    def page(name: str) -> Path:
        path = folder / f"{name}.html"
        if not path.exists():
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(lesson_pictures, "MOST_CURVES", 1)
                patch.setattr(lesson_pictures, "MOST_MAPS", 2)
                compiled(name).report(seconds=120.0).save(path)
        return path

    return page


def compiled(name: str, **rules: str) -> Compiled:
    return compile_file(EXAMPLES / f"{name}.cf", overrides=rules or None)


def find(driver: Any, selector: str) -> Any:
    from selenium.webdriver.common.by import By

    return driver.find_element(By.CSS_SELECTOR, selector)


def text_of(driver: Any, selector: str) -> str:
    return str(driver.execute_script("return document.querySelector(arguments[0]).textContent", selector))


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_page_loads_without_a_complaint_and_soon(driver: Any, pages: Pages, name: str) -> None:
    open_page(driver, pages(name))
    assert complaints(driver) == []
    assert name in driver.title
    assert not driver.execute_script(
        "return document.querySelectorAll('main section:not([hidden]):not(:has(h2))').length"
    )
    assert "[object" not in text_of(driver, "body main")
    interactive = driver.execute_script("return performance.getEntriesByType('navigation')[0].domInteractive")
    assert interactive < 3000  # one second on an idle machine, by far
    assert driver.execute_script("return performance.getEntriesByType('resource').length") == 0


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("name", PROGRAMS)
def test_nothing_sticks_out_on_a_telephone_or_a_screen(
    driver: Any, pages: Pages, name: str, width: int
) -> None:
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 700}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    try:
        open_page(driver, pages(name))
        assert driver.execute_script("return document.documentElement.scrollWidth") <= width
    finally:
        driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_light_and_dark_follow_the_system_and_the_button(driver: Any, pages: Pages) -> None:
    ground = "return getComputedStyle(document.body).backgroundColor"
    scheme = {"features": [{"name": "prefers-color-scheme", "value": "dark"}]}
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", scheme)
    try:
        open_page(driver, pages("trap"))
        dark = driver.execute_script(ground)
        find(driver, "#theme").click()
        light = driver.execute_script(ground)
        assert (dark, light) == ("rgb(23, 23, 21)", "rgb(251, 250, 247)")
    finally:
        driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


# what is computed in the page, against Python


def test_the_judgement_of_a_point_is_that_of_at(driver: Any, pages: Pages) -> None:
    name, random = "khan_barton", Random(1)
    open_page(driver, pages(name))
    points = [
        (Fraction(random.randint(-40, 40), 20), Fraction(random.randint(-40, 40), 20)) for _ in range(25)
    ]
    points += [(Fraction(1), Fraction(-1)), (Fraction(1), Fraction(1, 2)), (Fraction(0), Fraction(0))]
    found = driver.execute_script(
        """const { data, stratumAt, exactText, rowsAt } = cfc, map = data.maps[0];
        return arguments[0].map(([x, y]) => {
          const exact = { x: exactText(x), y: exactText(y) }, stratum = stratumAt(map.strata, exact);
          return [stratum.verdict, rowsAt(stratum.ad, exact, {})];
        });""",
        [[str(x), str(y)] for x, y in points],
    )
    program = compiled(name)
    for (x, y), (verdict, ad) in zip(points, found, strict=True):
        said = program.at(x=x, y=y)
        assert (verdict, ad) == (said.judged.verdict, [list(row.values()) for row in said.backward]), (x, y)


def near(shown: list[list[str]], rows: Any) -> bool:
    """Whether irrational numbers, which the page shows as decimals, are near the exact ones."""
    texts = [text for row in rows for text in row.values()]
    flat = [text for row in shown for text in row]
    decimals = [float(text[2:].replace("\u2212", "-")) for text in flat if text.startswith("\u2248 ")]
    exact = [to_float(parse_number(text)) for text in texts]
    return len(decimals) == len(exact) and decimals == pytest.approx(exact, rel=1e-4)


@pytest.mark.parametrize("name", ["trap", "softplus_relu_abs", "max_regrouped", "golden_relu"])
def test_what_the_sliders_say_is_what_the_program_with_these_rules_does(
    driver: Any, pages: Pages, name: str
) -> None:
    open_page(driver, pages(name))
    data = driver.execute_script("return cfc.data")
    names = sorted({one["name"] for point in data["points"] for one in point["right"]["parameters"]})
    random = Random(2)
    settings = [{rule: Fraction(random.randint(0, 24), 24) for rule in names} for _ in range(5)]
    settings.append(dict.fromkeys(names, Fraction(1, 2)))
    for chosen in settings:
        texts = {rule: str(value) for rule, value in chosen.items()}
        found = driver.execute_script(
            """const values = Object.fromEntries(Object.entries(arguments[0]).map(([k, v]) => [k, cfc.exactText(v)]));
            return cfc.data.points.map((point) => cfc.underRules(point, values));""",
            texts,
        )
        program = compiled(name, **texts)
        for point, now in zip(data["points"], found, strict=True):
            said = program.at(**dict(point["point"]))
            wanted = [list(row.values()) for row in said.backward]
            assert now["verdict"] == said.judged.verdict, (point["point"], texts)
            assert now["ad"] == wanted or near(now["ad"], said.backward), (point["point"], texts)


def test_formulas_are_read_as_sympy_reads_them(driver: Any, pages: Pages) -> None:
    import sympy

    open_page(driver, pages("trap"))
    texts = [
        "-x**2",
        "2**-1*x",
        "x - y - 1",
        "x/y/3",
        "(x + 1)**3/(y - 2)",
        "Max(x, y) - Min(x, 1/3)",
        "-(-x)*2",
    ]
    texts += ["x*y**2 - 3*x/4 + 0.125", "Abs(x - y)", "1/(x - x)", "x**(-2)"]
    values = {"x": Fraction(-5, 3), "y": Fraction(7, 2)}
    found = driver.execute_script(
        """const names = Object.fromEntries(Object.entries(arguments[1]).map(([k, v]) => [k, cfc.exactText(v)]));
        return arguments[0].map((text) => { const v = cfc.exactText(text, names); return v && cfc.ratioText(v); });""",
        texts,
        {name: str(value) for name, value in values.items()},
    )
    numbers = {name: sympy.Rational(value.numerator, value.denominator) for name, value in values.items()}
    for text, said in zip(texts, found, strict=True):
        wanted = sympy.sympify(text, rational=True).subs(numbers)
        assert said == (None if wanted.has(sympy.zoo, sympy.nan) else str(wanted)), text
    holds = driver.execute_script(
        """const names = { x: cfc.exactText("1/3") };
        return ["x > 0", "x < 1/3", "Ne(x, 0)", "(x > 1) | (x < 1/2)", "x >= 1/3", "sqrt(2)*x > 0",
                "(x > 0) | (sqrt(2) > x)"].map((text) => cfc.exactText(text, names));"""
    )
    assert holds == [True, False, True, True, True, None, True]


# by hand


def test_a_slider_moves_the_verdicts(driver: Any, pages: Pages) -> None:
    from selenium.webdriver.common.keys import Keys

    open_page(driver, pages("trap"))
    slider = find(driver, "#rule-relu")
    assert "right at 2 of 3" in text_of(driver, "#summary")
    slider.send_keys(*([Keys.ARROW_RIGHT] * 12))
    assert "relu = 1/2: AD is right at 3 of 3" in text_of(driver, "#summary")
    assert "exactly for relu = 1/2" in text_of(driver, "#everywhere")
    slider.send_keys(Keys.ARROW_RIGHT)
    assert "relu = 13/24: AD is right at 2 of 3" in text_of(driver, "#summary")
    assert complaints(driver) == []


def test_a_framework_is_chosen(driver: Any, pages: Pages) -> None:
    open_page(driver, pages("trap"))
    driver.execute_script(
        "[...document.querySelectorAll('#rules .choice button')].find((one) => one.textContent === 'casadi').click()"
    )
    assert "Under casadi: AD is right at 3 of 3" in text_of(driver, "#summary")


def test_a_click_on_the_map_is_judged(driver: Any, pages: Pages) -> None:
    from selenium.webdriver.common.action_chains import ActionChains
    from selenium.webdriver.common.keys import Keys

    open_page(driver, pages("khan_barton"))
    assert "S1" in text_of(driver, "#there")
    picture = find(driver, "svg.map")
    driver.execute_script("arguments[0].scrollIntoView({ block: 'center' })", picture)
    for right, down in ((180, -110), (-170, 60), (60, 170)):
        ActionChains(driver).move_to_element_with_offset(picture, right, down).click().perform()
        where = text_of(driver, "#there dd.number").replace("\u2212", "-").split(", ")
        said = compiled("khan_barton").at(**dict(one.split(" = ") for one in where))
        assert said.judged.verdict in text_of(driver, "#there dd .badge")
    before = text_of(driver, "#there")
    picture.send_keys(*([Keys.ARROW_UP] * 20))
    assert text_of(driver, "#there") != before
    assert complaints(driver) == []


def test_a_point_whose_signs_are_of_exp_is_not_judged_by_its_pixel(driver: Any, tmp_path: Path) -> None:
    path = tmp_path / "above.html"
    compile_text("def above(x, y):\n    return relu(y - exp(x))\n").report(seconds=60.0).save(path)
    open_page(driver, path)
    found = driver.execute_script(
        """const map = cfc.data.maps[0];
        return [[0.5, -0.4], [-1.3, 0.9]].map(([x, y]) => {
          const one = cfc.insideOf(map, x, y);
          return [one.stratum, one.undecided, one.drawn && one.drawn.verdict];
        });"""
    )
    assert found == [[None, True, "exact"]] * 2
    assert complaints(driver) == []


def test_the_zoom_keeps_the_dot(driver: Any, pages: Pages) -> None:
    from selenium.webdriver.common.keys import Keys

    open_page(driver, pages("trap"))
    marks = "return document.querySelectorAll('#picture svg:nth-of-type(2) .v-spurious .mark').length"
    assert driver.execute_script(marks) == 1
    find(driver, "#zoom").send_keys(Keys.END)
    assert "10" in text_of(driver, "output[for=zoom]")
    assert driver.execute_script(marks) == 1
    assert complaints(driver) == []


def test_the_zoom_shows_no_jump_that_is_not_there(driver: Any, pages: Pages) -> None:
    from selenium.webdriver.common.keys import Keys

    open_page(driver, pages("softplus_relu_abs"))
    find(driver, "#zoom").send_keys(Keys.END)
    left, right, dot = driver.execute_script(
        """const drawing = document.querySelector('#picture svg');
        const [left, right] = [...drawing.querySelectorAll('path.curve')].map((path) =>
          path.getAttribute('d').match(/[\\d.]+ [\\d.]+/g).map((spot) => Number(spot.split(' ')[1])));
        return [left, right, Number(drawing.querySelector('circle.open').getAttribute('cy'))]"""
    )
    assert left[-1] == pytest.approx(dot, abs=0.1) and right[0] == pytest.approx(dot, abs=0.1)
    rise = left[0] - left[-1]
    assert rise > 20 and right[0] - right[-1] == pytest.approx(
        rise, rel=0.01
    )  # the slope is 1/2 on both sides
    assert left[len(left) // 2] == pytest.approx((left[0] + left[-1]) / 2, abs=0.5)


def test_where_ad_is_no_number_is_drawn(driver: Any, pages: Pages) -> None:
    open_page(driver, pages("where_sqrt"))
    lines = driver.execute_script(
        """return [...document.querySelectorAll('#picture line.v-undefined')].map((line) =>
          [Number(line.getAttribute('x1')), Number(line.getAttribute('x2'))])"""
    )
    assert lines == [[64, 64 + (720 - 64 - 24) / 2]]  # from -2 to 0


def test_a_jump_has_a_closed_dot_at_the_value(driver: Any, tmp_path: Path) -> None:
    program = compile_text("def f(x):\n    return 2 if x > 0 else x\n")
    open_page(driver, program.report(seconds=3.0).save(tmp_path / "jump.html"))
    heights = driver.execute_script(
        """const heights = (kind) => [...document.querySelector('#picture svg').querySelectorAll(`circle.${kind}`)]
          .map((one) => Number(one.getAttribute('cy')));
        return [heights('closed'), heights('open')]"""
    )
    (closed,), (open_,) = heights
    assert closed > open_ + 20  # further down: the value is 0, and 2 is approached


def test_a_point_moves_over_the_curve(driver: Any, pages: Pages) -> None:
    from selenium.webdriver.common.keys import Keys

    open_page(driver, pages("trap"))
    assert "spurious" in text_of(driver, "#probed") and "gradient \u22122" in text_of(driver, "#probed")
    find(driver, "#probe").send_keys(*([Keys.ARROW_LEFT] * 30))
    words = text_of(driver, "#probed").replace("\u2212", "-")
    where = words.split()[2].removesuffix("exact")
    said = compiled("trap").at(w=where)
    (gradient,) = said.judged.gradient or ()
    assert "exact" in words and words.endswith(f"AD {gradient['w']}, gradient {gradient['w']}")
    assert driver.execute_script("return document.querySelectorAll('#picture .slope').length") == 1
    assert complaints(driver) == []


def test_code_is_linked_both_ways(driver: Any, pages: Pages) -> None:
    from selenium.webdriver.common.keys import Keys

    open_page(driver, pages("trap"))
    driver.execute_script("document.querySelector('#source .row[data-line=\"19\"]').focus()")
    linked = driver.execute_script(
        "return [...document.querySelectorAll('#derivative .linked .at')].map((one) => one.textContent)"
    )
    assert linked and set(linked) == {"19"}
    driver.execute_script("document.querySelector('#derivative .row[tabindex=\"0\"]').focus()")
    assert text_of(driver, "#source mark") == "relu(w)"
    driver.switch_to.active_element.send_keys(Keys.ARROW_DOWN)
    assert text_of(driver, "#source mark") == "-w"


def test_the_tape_steps_by_buttons_and_keys(driver: Any, pages: Pages) -> None:
    from selenium.webdriver.common.keys import Keys

    open_page(driver, pages("where_sqrt"))
    later = "return document.querySelectorAll('.tape tr.later').length"
    assert driver.execute_script(later) == 0
    assert "0 · ∞" in text_of(driver, "#tape .alarm")
    assert driver.execute_script("return document.querySelectorAll('.tape tr.born').length") == 1
    find(driver, "#tape-first").click()
    steps = driver.execute_script(later)
    find(driver, "#tape-step").click()
    find(driver, ".tapebox").send_keys(Keys.ARROW_RIGHT)
    assert driver.execute_script(later) == steps - 2
    find(driver, "#tape-all").click()
    assert driver.execute_script(later) == 0


def test_the_quiz_by_keyboard(driver: Any, pages: Pages) -> None:
    from selenium.webdriver.common.keys import Keys

    open_page(driver, pages("trap"))
    find(driver, "#quiz-start").send_keys(Keys.ENTER)
    hidden = "return getComputedStyle(document.getElementById('point')).display"
    assert driver.execute_script(hidden) == "none"
    for _ in range(20):
        right = driver.execute_script(
            """const all = [...document.querySelectorAll('.answers button')];
            return all.findIndex((one) => one.dataset.right === 'true') + 1"""
        )
        driver.switch_to.active_element.send_keys(str(right))
        driver.switch_to.active_element.send_keys(Keys.ENTER)  # next
        if not driver.execute_script("return document.querySelector('.answers')"):
            break
    score = text_of(driver, "#score")
    right, _, total = score.split()[:3]
    assert right == total and int(total) >= 2
    assert driver.execute_script(hidden) != "none"


def test_strata_are_filtered_by_verdict(driver: Any, pages: Pages) -> None:
    open_page(driver, pages("max_regrouped"))
    rows = "return [...document.querySelectorAll('#strata tbody tr')].map((row) => row.dataset.stratum)"
    everything = driver.execute_script(rows)
    buttons = "[...document.querySelectorAll('#strata .choice button')]"
    driver.execute_script(f"{buttons}.find((one) => one.textContent.endsWith('spurious')).click()")
    few = driver.execute_script(rows)
    assert 0 < len(few) < len(everything) and set(few) < set(everything)
    driver.execute_script(f"{buttons}[0].click()")
    assert driver.execute_script(rows) == everything


def test_slices_are_chosen(driver: Any, pages: Pages) -> None:
    open_page(driver, pages("max_regrouped"))
    count = driver.execute_script("return document.querySelectorAll('#slice option').length")
    assert count == 3
    for place in range(count):
        driver.execute_script(
            """const slice = document.getElementById('slice');
            slice.value = arguments[0];
            slice.dispatchEvent(new Event('change'))""",
            str(place),
        )
        assert driver.execute_script("return document.querySelectorAll('#picture svg').length") >= 1
    assert complaints(driver) == []


def test_in_print_all_steps_and_sections_are_there(driver: Any, pages: Pages) -> None:
    open_page(driver, pages("trap"))
    find(driver, "#tape-first").click()
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    try:
        shown = driver.execute_script(
            """const cells = [...document.querySelectorAll('.tape tr[data-step] td')];
            return cells.map((cell) => getComputedStyle(cell).opacity)"""
        )
        assert shown and set(shown) == {"1"}
        assert (
            driver.execute_script("return getComputedStyle(document.getElementById('quiz')).display")
            == "none"
        )
        driver.execute_script("""window.addEventListener('beforeprint', () => {
            window.folded = document.querySelectorAll('details:not([open])').length })""")
        folded = driver.execute_script("return document.querySelectorAll('details:not([open])').length")
        assert len(driver.execute_cdp_cmd("Page.printToPDF", {})["data"]) > 10_000
        assert folded and driver.execute_script("return window.folded") == 0
        assert folded == driver.execute_script(
            "return document.querySelectorAll('details:not([open])').length"
        )
    finally:
        driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})


def test_a_map_is_printed_light(driver: Any, pages: Pages) -> None:
    open_page(driver, pages("max_regrouped"))
    tone = """const copy = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
        copy.drawImage(document.querySelector('canvas'), 0, 0);
        return copy.getImageData(9, 9, 1, 1).data[0]"""
    driver.execute_script("document.documentElement.dataset.theme = 'light'")
    find(driver, "#theme").click()
    assert driver.execute_script(tone) < 128
    driver.execute_script("dispatchEvent(new Event('beforeprint'))")
    assert driver.execute_script(tone) > 128
    driver.execute_script("dispatchEvent(new Event('afterprint'))")
    assert driver.execute_script(tone) < 128
    driver.execute_script("delete document.documentElement.dataset.theme")


def test_html_of_the_user_is_text(driver: Any, tmp_path: Path) -> None:
    evil = "</script><script>document.title='taken'</script><img src=x onerror=\"document.title='taken'\">"
    source = f"# {evil}\ndef f(x):  # <b id=bold>\n    return relu(x) - relu(-x)\n"
    path = compile_text(source, f"{evil}.cf").report(seconds=3.0).save(tmp_path / "evil.html")
    open_page(driver, path)
    assert driver.title == "f: what AD returns" and complaints(driver) == []
    assert driver.execute_script("return document.querySelectorAll('img, #bold').length") == 0
    assert evil in text_of(driver, "#source") and evil in text_of(driver, "#footer")


@pytest.mark.parametrize(
    ("source", "options"),
    [
        ("def f(x, y):\n    return 1 if x > y else 0\n", {}),
        ("def f(v: Real[12]):\n    return relu(sum(v))\n", {}),
        ("def f(x, y):\n    return relu(x), abs(x - y)\n", {}),
        ("def f(x):\n    return relu(x)\n", {"fix": {"x": 0}}),
        ("def f(x):\n    return 1/x + relu(x - 1)\n", {}),
    ],
)
def test_odd_programs_have_pages_too(
    driver: Any, tmp_path: Path, source: str, options: dict[str, Any]
) -> None:
    path = compile_text(source).report(seconds=2.0, **options).save(tmp_path / "odd.html")
    open_page(driver, path)
    assert complaints(driver) == []
    assert "[object" not in text_of(driver, "main") and "undefined, undefined" not in text_of(driver, "main")
    assert json.loads(text_of(driver, "#data"))["headline"] is not None
