"""The explorer: its candidates, and what a real browser does with it, without a network."""

import json

import numpy as np
import pandas as pd
import pytest

from scripts.boosting.boosting_measure import round_metrics
from scripts.boosting.candidates import OBJECTIVES, candidates
from scripts.boosting.explorer import content, write_explorer
from scripts.boosting.looks import cells
from scripts.boosting.preferences import chosen
from scripts.common import parquet
from tests.browser import open_browser
from tests.pages import data_block, policy, unlisted

TITLE = "document.querySelector('#answer h2')?.textContent"
SET = """((weights) => {{
  const sliders = [...document.querySelectorAll('#weights input')];
  sliders.forEach((slider, k) => {{ slider.value = weights[k]; }});
  sliders[0].dispatchEvent(new Event('input', {{ bubbles: true }}));
}})({weights})"""


@pytest.fixture(scope="module")
def held(measured):
    return content(*(parquet.read(measured[name]) for name in ("candidates", "rounds", "facts")))


@pytest.fixture(scope="module")
def browser(measured, tmp_path_factory):
    folder = tmp_path_factory.mktemp("explorer")
    page, facts = folder / "page.html", parquet.read(measured["facts"])
    facts = facts.assign(group_0=facts["group_0"] + " <b>&</b>")  # names from data are text, not markup
    write_explorer(parquet.read(measured["candidates"]), parquet.read(measured["rounds"]), facts, page)
    opened = open_browser(page.as_uri(), str(folder / "profile"))
    opened.wait("document.querySelectorAll('tbody tr').length > 0")
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def text(measured, tmp_path_factory):
    path = tmp_path_factory.mktemp("text") / "page.html"
    write_explorer(
        parquet.read(measured["candidates"]), parquet.read(measured["rounds"]), parquet.read(measured["facts"]), path
    )
    return path.read_text(encoding="utf-8")


def test_the_policy_lets_run_what_the_page_brings_and_nothing_else(text):
    assert unlisted(text) == []
    assert policy(text)["default-src"] == ["'none'"] and "unsafe" not in str(policy(text))


def test_the_data_block_holds_what_was_computed(text, held):
    assert data_block(text) == held


def test_a_phone_shows_the_whole_page_with_letters_of_a_readable_size(browser):
    browser.send("Emulation.setDeviceMetricsOverride", width=390, height=844, deviceScaleFactor=2, mobile=True)
    browser.settle()
    assert browser.evaluate("document.documentElement.scrollWidth") == 390
    browser.wait("by('plot').viewBox.baseVal.width <= 390")  # drawn anew for this width
    assert browser.evaluate("by('plot').getBoundingClientRect().width / by('plot').viewBox.baseVal.width") > 0.9
    browser.send("Emulation.clearDeviceMetricsOverride")


def test_the_chart_follows_the_dark_scheme(browser):
    ink = "getComputedStyle(document.querySelector('#plot text')).fill"
    light = browser.evaluate(ink)
    browser.send("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "dark"}])
    assert browser.evaluate(ink) != light
    browser.send("Emulation.setEmulatedMedia", features=[])


def points(cell: dict) -> np.ndarray:
    return np.array([model["choice"] for model in cell["models"]])


def test_candidates_are_efficient_and_no_constant_classifiers(written, held):
    read = [(parquet.read(paths["rounds"]), parquet.read(paths["runs"])) for paths in written.values()]
    rounds = pd.concat([round_metrics(*tables) for tables in read])
    for (dataset, attributes), cell in zip(cells(rounds), held["cells"], strict=True):
        own = points(cell)
        for point in own:
            assert not ((own <= point).all(1) & (own < point).any(1)).any()
        one = rounds[(rounds["dataset"] == dataset) & (rounds["attributes"] == attributes)]
        none = one.assign(selection_rate=0.0)
        assert candidates(none).empty and len(candidates(one)) == len(own)
    assert all(np.isfinite(model["report"]).all() for cell in held["cells"] for model in cell["models"])


WEIGHTS = ([50, 50, 50, 50, 50], [100, 0, 0, 0, 0], [0, 0, 100, 0, 0], [10, 20, 30, 40, 0], [1, 90, 3, 3, 3])


@pytest.mark.parametrize("weights", WEIGHTS)
def test_the_page_chooses_what_the_python_rule_chooses(browser, held, weights):
    for place, cell in enumerate(held["cells"]):
        browser.evaluate(f"by('cell').value = '{place}'; by('cell').dispatchEvent(new Event('change'))")
        browser.evaluate(SET.format(weights=json.dumps(weights)))
        model = cell["models"][chosen(points(cell), np.array(weights) / sum(weights))]
        assert browser.evaluate(TITLE) == f"Chosen: round {model['round']} of {model['arm']}"
        assert (
            browser.evaluate("document.querySelectorAll('#plot circle[data-model]').length") == len(cell["models"]) + 1
        )


def test_it_says_why_in_plain_words(browser, held):
    browser.evaluate(SET.format(weights="[80, 5, 5, 5, 5]"))
    words = browser.evaluate("by('answer').textContent")
    assert "no other one beats in everything" in words and "no other model comes closer" in words
    assert "people judged wrongly" in words and "You gave it 80\u00a0%" in words
    assert (
        len(held["objectives"]) == len(OBJECTIVES) == browser.evaluate("document.querySelectorAll('#answer li').length")
    )


def test_all_weights_at_zero_choose_nothing_and_say_so(browser):
    browser.evaluate(SET.format(weights="[0, 0, 0, 0, 0]"))
    assert "raise at least one" in browser.evaluate("by('answer').textContent")
    assert browser.evaluate("document.querySelectorAll('tbody tr').length") == 0
    browser.evaluate(SET.format(weights="[50, 50, 50, 50, 50]"))
    assert browser.evaluate("document.querySelectorAll('tbody tr').length") > 0


def test_a_slider_moves_by_keyboard(browser):
    browser.evaluate("document.querySelector('#weights input').focus()")
    before = browser.evaluate("document.querySelector('#weights input').value")
    browser.key("ArrowRight", code=39)
    browser.settle()
    assert int(browser.evaluate("document.querySelector('#weights input').value")) == int(before) + 1
    shares = browser.evaluate("preference().reduce((a, b) => a + b, 0)")
    assert shares == pytest.approx(1)


def test_another_mark_tells_why_it_is_not_chosen(browser):
    other = browser.evaluate("String(ranked[ranked.length - 1].number)")
    click = (
        "document.querySelector('#plot circle[data-model=\"{}\"]').dispatchEvent(new Event('click', {{bubbles: true}}))"
    )
    browser.evaluate(click.format(other))
    words = browser.evaluate("by('other').textContent")
    assert "is not chosen" in words and "better in" in words and "worse in" in words
    browser.evaluate("document.querySelector('tbody tr button').click()")
    assert browser.evaluate("by('other').textContent").startswith("This is the chosen model")


def test_the_buttons_set_the_weights(browser):
    browser.evaluate("[...document.querySelectorAll('#presets button')][1].click()")
    assert browser.evaluate("document.querySelector('#weights output').textContent") == "60\u00a0%"


def test_names_are_text_and_the_page_asks_for_nothing(browser):
    assert "<b>&</b>" in browser.evaluate("by('groups').textContent")
    assert browser.evaluate("document.querySelector('#groups b')") is None
    assert browser.faults() == []
