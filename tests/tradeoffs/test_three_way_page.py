"""The interactive page in a real browser: Chromium, driven over its debugging pipe."""

import contextlib
import time

import pytest
from plotly.offline import get_plotlyjs

from scripts.tradeoffs import three_way_page
from scripts.tradeoffs import tradeoffs_figure_three_way as figure_three_way
from tests.browser import open_browser
from tests.pages import data_block, policy, unlisted
from tests.tradeoffs.synthetic import study

MARK = "Boolean(document.querySelector('#plot .gl-container canvas')) && drawn"


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    folder = tmp_path_factory.mktemp("page")
    frames = study(strengths=1, seeds=1)
    runs, metrics = (frames[name].replace({"method": {"plain": "<b>plain</b>"}}) for name in ("runs", "metrics"))
    points = figure_three_way.three_costs(metrics, runs)
    path = folder / "page.html"
    path.write_text(three_way_page.page(points, metrics, runs, "made-up models", "linf_0.01"), encoding="utf-8")
    browser = open_browser(path.as_uri(), str(folder / "profile"))
    browser.text = path.read_text(encoding="utf-8")
    browser.wait("document.readyState === 'complete' && typeof show === 'function'")
    yield browser
    browser.close()


def test_a_name_in_the_table_opens_its_model_by_keyboard(browser):
    browser.evaluate("document.querySelector('tr:not([hidden]) button[data-model]').focus()")
    browser.key("Enter", "\r", 13)
    browser.wait("panel.querySelector('h2').textContent === '<b>plain</b>'")
    words = browser.evaluate("panel.textContent")
    assert "share of clean images judged wrongly" in words and "attack size in training" in words
    assert browser.evaluate("panel.querySelector('b')") is None  # a name is text, not markup
    assert browser.evaluate("document.querySelectorAll('tr.chosen').length") == 1


def test_the_buttons_change_the_protocol(browser):
    shown = "[...document.querySelectorAll('tbody tr')].filter((row) => !row.hidden).map((row) => row.dataset.protocol)"
    for protocol in ("as_published", "corrected"):
        browser.evaluate(f"document.querySelector('#protocols [data-protocol={protocol}]').click()")
        assert set(browser.evaluate(shown)) == {protocol}
        pressed = "document.querySelector('#protocols [aria-pressed=true]').dataset.protocol"
        assert browser.evaluate(pressed) == protocol


def test_a_click_on_a_mark_shows_its_model(browser):
    with contextlib.suppress(AssertionError):
        browser.wait(MARK)
    if not browser.evaluate(MARK):
        pytest.skip("this Chromium has no WebGL, not even in software: the picture cannot be clicked")
    for number in range(browser.evaluate("models.length")):
        name, protocol, kind = (browser.evaluate(f"models[{number}].{key}") for key in ("name", "protocol", "kind"))
        if kind != "efficient" or protocol != "corrected":
            continue
        browser.evaluate("panel.replaceChildren(); window.scrollTo(0, 0); show('corrected')")
        x, y = browser.evaluate(PLACE.format(number=number))
        browser.press(x, y)
        time.sleep(0.5)
        if browser.evaluate("panel.querySelector('h2')?.textContent") == name:
            browser.wait(f"traces.length && plot.data.at(-1).customdata[0] === {number}")  # the ring around it
            return
    pytest.fail("no click on the place of an efficient model opened it")


# Where a model's mark is on the page: its coordinates through the matrices of the picture's own camera.
PLACE = """(() => {{
  const scene = plot._fullLayout.scene._scene, glplot = scene.glplot, at = models[{number}].at;
  const {{ model, view, projection }} = glplot.cameraParams;
  let p = [...at.map((value, axis) => value * scene.dataScale[axis]), 1];
  for (const m of [model, view, projection]) {{
    p = [0, 1, 2, 3].map((row) => p.reduce((sum, value, k) => sum + m[4 * k + row] * value, 0));
  }}
  const box = plot.querySelector('canvas').getBoundingClientRect();
  return [box.left + (0.5 + p[0] / p[3] / 2) * box.width, box.top + (0.5 - p[1] / p[3] / 2) * box.height];
}})()"""


def test_the_policy_lets_run_what_the_page_brings_and_nothing_else(browser):
    assert unlisted(browser.text) == []
    assert policy(browser.text)["default-src"] == ["'none'"] and "unsafe" not in str(policy(browser.text))
    assert data_block(browser.text)["models"][0]["name"] == "<b>plain</b>"


def test_plotlys_own_styles_are_found():
    assert len(three_way_page.plotly_needs(get_plotlyjs())["style-src"].split()) == 2


def test_the_browser_found_no_error_and_asked_for_nothing(browser):
    assert browser.faults() == []
