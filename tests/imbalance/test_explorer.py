"""The explorer: its content agrees with the released frames, and a real browser shows it, without a network."""

import pytest

from scripts.imbalance.explorer import SHOWN, added_rows, content, write_explorer
from scripts.imbalance.labels import GAP
from tests.browser import open_browser
from tests.imbalance.frames import ADULT, GERMAN, frames
from tests.pages import data_block, policy, unlisted

CHOOSE = "by('{}').value = '{}'; by('{}').dispatchEvent(new Event('{}'))"


@pytest.fixture(scope="module")
def held():
    released = frames(places=((ADULT, "sex"), (GERMAN, "sex"), (ADULT, "sex x race")))
    facts = released["facts"]
    released["facts"] = facts.assign(positive=facts["positive"] + " <b>&</b>")  # names from data are text
    return released


@pytest.fixture(scope="module")
def written(held, tmp_path_factory):
    path = tmp_path_factory.mktemp("explorer") / "explorer.html"
    write_explorer(held, path)
    return path


@pytest.fixture(scope="module")
def browser(written):
    opened = open_browser(written.as_uri(), str(written.parent / "profile"))
    opened.wait("document.querySelectorAll('tbody tr').length > 0")
    yield opened
    opened.close()


def choose(browser, **values) -> None:
    for name, value in values.items():
        browser.evaluate(CHOOSE.format(name, value, name, "input" if name == "dose" else "change"))


def says(browser) -> str:
    return browser.evaluate("by('says').textContent")


def run_of(page: dict, plan: str, generator: str, dose: float = 1.0, place: int = 0) -> dict:
    (found,) = [
        run
        for run in page["places"][place]["runs"]
        if (run["plan"], run["generator"], run["dose"]) == (plan, generator, dose)
    ]
    return found


def test_the_page_is_one_file_that_runs_only_what_it_brings(written, held):
    text = written.read_text(encoding="utf-8")
    assert unlisted(text) == [] and policy(text)["default-src"] == ["'none'"] and "unsafe" not in str(policy(text))
    assert data_block(text) == content(held)
    assert "<b>&</b>" not in text


def test_changes_are_those_of_the_comparisons(held):
    page, frame = content(held), held["comparisons"]
    frame = frame[(frame["dataset"] == ADULT) & (frame["attributes"] == "sex") & (frame["variant"] == "main")]
    frame = frame[(frame["protocol"] == "corrected") & (frame["second"] == "real")]
    for row in frame[frame["metric"].isin(SHOWN)].itertuples():
        change = run_of(page, row.plan, row.generator)["change"][SHOWN.index(row.metric)]
        assert change == pytest.approx([row.value, row.ci_low, row.ci_high], abs=1e-4)


def test_the_sentence_says_rows_gap_and_accuracy(held):
    text = run_of(content(held), "same_class", "cart")["says"]
    assert text.startswith("Class ratio with CART adds 2,802 rows of women with label 1 (income above 50,000 dollars")
    assert "30,148 training rows of the first split, 9.3 % more" in text and "Copies of real rows" in text
    splits = held["splits"]
    own = splits[(splits["dataset"] == ADULT) & (splits["attributes"] == "sex") & (splits["metric"] == GAP)]
    own = own[(own["protocol"] == "corrected") & (own["variant"] == "main") & (own["dose"] == 1.0)]
    before, after = (100 * own[own["method"] == name]["value"].mean() for name in ("real", "same_class cart"))
    assert f"Gap {before:.1f} → {after:.1f} points (change −" in text
    weights = run_of(content(held), "same_class", "weights")["says"]
    assert "weighs rows as if it added 2,802 rows" in weights
    assert "no synthetic row is added" in run_of(content(held), "none", "reweighing")["says"]


def test_bars_follow_plan_and_dose(held):
    page = content(held)
    women = run_of(page, "same_class", "cart", 0.5)["bars"][0]
    assert women == {"group": "women", "real": [8648, 1114], "added": [0, 1401, 0]}
    assert run_of(page, "protected", "cart")["bars"][0]["added"] == [0, 0, 10624]
    assert [len(run_of(page, "class", "cart", place=2)["bars"])] == [4]


@pytest.mark.parametrize(
    ("added", "text"),
    [
        ([[0, 0, 0], [0, 0, 0]], ""),
        ([[0, 5, 0], [0, 0, 0]], "5 rows of a with label 1 (yes)"),
        ([[1200, 5, 0], [0, 0, 0]], "1,205 rows (1,200 a with label 0; 5 a with label 1; label 1 is yes)"),
        ([[0, 0, 0], [0, 0, 7]], "7 rows of b, with labels that the generator draws,"),
    ],
)
def test_who_gets_rows(added, text):
    bars = [{"group": name, "real": [9, 9], "added": rows} for name, rows in zip("ab", added, strict=True)]
    assert added_rows(bars, "yes") == text


def test_without_real_rows_a_dataset_is_left_out(held):
    splits = held["splits"]
    page = content(held | {"splits": splits[(splits["generator"] != "real") | (splits["dataset"] != GERMAN)]})
    assert [place["name"] for place in page["places"]] == ["AdultCensus, sex", "AdultCensus, sex x race"]
    empty = content(held | {"splits": splits.head(0)})
    assert empty["places"] == [] and empty["plans"] == []


def test_it_opens_on_a_run_and_shows_its_sentence(browser, held):
    page = content(held)
    choose(browser, place=0, plan="same_class", generator="cart")
    assert says(browser) == run_of(page, "same_class", "cart")["says"]
    assert browser.evaluate("document.querySelectorAll('#strips svg').length") == len(SHOWN)
    assert browser.evaluate("document.querySelectorAll('#strips circle.method').length") == 6 * len(SHOWN)
    assert browser.evaluate("document.querySelectorAll('tbody tr').length") == len(SHOWN)
    assert "<b>&</b>" in says(browser) and browser.evaluate("document.querySelector('#says b')") is None


def test_every_run_can_be_chosen(browser, held):
    page = content(held)
    for number, place in enumerate(page["places"]):
        choose(browser, place=number)
        for run in place["runs"]:
            dose = place["doses"].index(run["dose"])
            choose(browser, plan=run["plan"], generator=run["generator"], dose=dose)
            assert says(browser) == run["says"]


def test_a_combination_that_was_not_run_says_so(browser):
    choose(browser, place=0, plan="same_class", generator="reweighing")
    text = says(browser)
    assert text.startswith("reweighing with class ratio was not run on AdultCensus, sex.") and "CART" in text
    assert browser.evaluate("by('both').hidden") and browser.evaluate("document.querySelector('tbody tr')") is None
    choose(browser, plan="protected", generator="cart", dose=1)
    assert "was not run on AdultCensus, sex at a dose of 25 %; it was at 100 %." in says(browser)
    choose(browser, plan="same_class", generator="cart", dose=0)
    assert says(browser).startswith("Real rows alone")


def test_the_dose_moves_by_keyboard(browser):
    choose(browser, place=0, plan="same_class", generator="cart")
    browser.evaluate("by('dose').focus()")
    browser.key("ArrowLeft", code=37)
    browser.settle()
    assert browser.evaluate("by('dose-text').textContent") == "75 % of the plan"
    assert says(browser).startswith("75 % of class ratio with CART adds 2,101 rows")
    for name in ("place", "plan", "generator"):
        browser.evaluate(f"by('{name}').focus()")
        assert browser.evaluate("document.activeElement.id") == name


def test_a_phone_shows_the_whole_page(browser):
    browser.send("Emulation.setDeviceMetricsOverride", width=390, height=844, deviceScaleFactor=2, mobile=True)
    choose(browser, place=2, plan="class", generator="cart")
    browser.settle()
    assert browser.evaluate("document.documentElement.scrollWidth") == 390
    browser.wait("by('bars').viewBox.baseVal.width <= 390")
    browser.send("Emulation.clearDeviceMetricsOverride")


def test_no_fault_and_no_address_outside(browser):
    assert browser.faults() == []
