"""The explorer: its content agrees with the released frames, and a real browser shows it, without a network."""

from itertools import chain

import pytest

from scripts.multitask.explorer import SHOWN, content, fit_title, sharing, write_explorer
from scripts.multitask.labels import ODDS, at
from tests.browser import open_browser
from tests.multitask.frames import frames, only
from tests.pages import data_block, policy, unlisted

CHOOSE = "by('{0}').value = '{1}'; by('{0}').dispatchEvent(new Event('change'))"
WEIRD = "task <b>1</b>"


@pytest.fixture(scope="module")
def held():
    return {name: frame.replace({"task 1": WEIRD}) for name, frame in frames().items()}  # names from data are text


@pytest.fixture(scope="module")
def page(held):
    return content(held)


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
        browser.evaluate(CHOOSE.format(name, value))


def fit_of(page: dict, key: str, place: int = 0) -> dict:
    return next(fit for fit in page["places"][place]["fits"] if fit["key"] == key)


def test_the_page_is_one_file_that_runs_only_what_it_brings(written, page):
    text = written.read_text(encoding="utf-8")
    assert unlisted(text) == [] and policy(text)["default-src"] == ["'none'"] and "unsafe" not in str(policy(text))
    assert data_block(text) == page and "<b>1</b>" not in text


def test_values_are_those_of_the_metrics(page, held):
    rows = held["metrics"]
    rows = rows[(rows["source"] == "adult") & (rows["fit"] == "pcgrad") & (rows["task"] == "task 2")]
    rows = rows[(rows["metric"] == ODDS) & (rows["protocol"] == "corrected")].sort_values("seed")
    found = fit_of(page, "pcgrad")
    assert found["seeds"] == [1, 2] and found["values"][SHOWN.index(ODDS)][2] == pytest.approx(rows["value"], abs=1e-5)
    assert page["places"][0]["tasks"] == ["task 0", WEIRD, "task 2", "task 3"]


def test_every_fit_is_beside_what_it_is_compared_with(page):
    beside = {fit["key"]: fit["against"] for fit in page["places"][0]["fits"]}
    wanted = {"stl": "", "stl_fair": "", "pcgrad": "stl", "fairbranch": "stl_fair", "l2t_fmt": "stl_fair"}
    wanted |= {"fairbranch_as_published": "fairbranch", "stl_as_published": "stl_fair"}
    assert wanted.items() <= beside.items()
    assert fit_title("fairbranch_as_published") == "FairBranch: all faults at once"
    assert fit_title("l2t_fmt_frozen_trunk") == "L2T-FMT: trunk never trained"


def test_the_sentence_gives_accuracy_bias_and_gains(page, held):
    text = fit_of(page, "fairbranch")["says"]
    own = at(held["metrics"], "adult")
    own = own[(own["task"] == "mean") & (own["metric"] == "accuracy") & (own["protocol"] == "corrected")]
    means = own.groupby("method")["value"].mean()
    assert text.startswith(f"FairBranch: accuracy {100 * means['fairbranch']:.1f} %")
    assert f"(majority class {100 * means['majority']:.1f} %)" in text
    rows = at(held["comparisons"], "adult")
    rows = rows[(rows["first"] == "fairbranch") & (rows["reference"] == "like for like") & (rows["task"] == "mean")]
    gain = rows[rows["metric"] == "accuracy"]["value"].iloc[0]
    assert f"trained with the same losses: {100 * gain:+.1f}".replace("-", "−") in text


def test_who_shares_is_that_of_the_kept_network(held):
    parts = [at(held[name], "adult") for name in ("branchings", "curves", "runs")]
    assert sharing("stl", *parts)["says"] == "Every task has a network of its own."
    assert sharing("vanilla", *parts)["layers"] == []
    for best, layers in ((1, [3]), (3, [3, 2])):
        runs = parts[2].assign(best_epoch=best)
        found = sharing("fairbranch", parts[0], parts[1], runs)
        assert [layer["layer"] for layer in found["layers"]] == layers and "(seed 1)" in found["says"]
        assert sorted(chain(*found["layers"][0]["groups"])) == sorted(["task 0", WEIRD, "task 2", "task 3"])
    assert (
        "A copy per task of layer" in sharing("recon", *parts)["says"] or "No layer" in sharing("recon", *parts)["says"]
    )


def test_parts_may_be_missing(held):
    assert [place["name"] for place in content(only(held, source="many"))["places"]] == ["many tasks"]
    some = content(only(held, methods=("stl", "stl_fair", "majority")))
    assert fit_of(some, "pcgrad")["against"] == "" and "majority class – %" in fit_of(some, "pcgrad")["says"]
    assert content({name: frame.head(0) for name, frame in held.items()})["places"] == []


def test_it_opens_on_fairbranch_and_shows_its_sentence(browser, page):
    choose(browser, place=0)
    assert (
        browser.evaluate("by('method').value") == "fairbranch" and browser.evaluate("by('other').value") == "stl_fair"
    )
    assert browser.evaluate("by('says').textContent") == fit_of(page, "fairbranch")["says"]
    assert browser.evaluate("document.querySelectorAll('#strips svg').length") == len(SHOWN)
    assert browser.evaluate("document.querySelectorAll('#strips circle.dot').length") == 4 * len(SHOWN)
    assert browser.evaluate("document.querySelectorAll('tbody tr').length") == 5
    assert browser.evaluate("document.querySelectorAll('tbody th')[1].textContent") == WEIRD
    assert browser.evaluate("document.querySelector('main b:not(.layer b)')") is None


def test_every_fit_can_be_chosen(browser, page):
    for number, place in enumerate(page["places"]):
        choose(browser, place=number)
        for fit in place["fits"]:
            choose(browser, method=fit["key"])
            assert browser.evaluate("by('says').textContent") == fit["says"]
            assert browser.evaluate("by('other').value") == fit["against"]
            groups = sum(len(layer["groups"]) for layer in fit["shares"]["layers"])
            assert browser.evaluate("document.querySelectorAll('.group').length") == groups


def test_changes_are_paired_by_seed(browser, held):
    choose(browser, place=0, method="fairbranch_as_published", other="stl_fair")  # of one seed against two
    row = browser.evaluate("[...document.querySelectorAll('tbody tr')].pop().textContent")
    own = at(held["metrics"], "adult")
    own = own[(own["task"] == "mean") & (own["metric"] == "accuracy") & (own["seed"] == 1)]
    means = own.drop_duplicates("fit").set_index("fit")["value"]
    change = f"{100 * (means['fairbranch_as_published'] - means['stl_fair']):+.1f}".replace("-", "−")
    assert change in row
    choose(browser, other="")
    assert "–" in browser.evaluate("document.querySelectorAll('tbody tr')[0].children[4].textContent")


def test_the_choice_works_by_keyboard(browser):
    for name in ("place", "method", "other"):
        browser.evaluate(f"by('{name}').focus()")
        assert browser.evaluate("document.activeElement.id") == name


def test_a_phone_shows_the_whole_page(browser):
    browser.send("Emulation.setDeviceMetricsOverride", width=390, height=844, deviceScaleFactor=2, mobile=True)
    choose(browser, place=1)
    browser.settle()
    assert browser.evaluate("document.documentElement.scrollWidth") == 390
    assert browser.evaluate("document.querySelectorAll('#strips text.name').length") == 3 * 13
    browser.send("Emulation.clearDeviceMetricsOverride")


def test_no_fault_and_no_address_outside(browser):
    assert browser.faults() == []
