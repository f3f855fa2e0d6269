"""The page in a real browser, with made-up studies: what a reader sees, clicks, reaches by keyboard and hears."""

import contextlib
from pathlib import Path
from urllib.parse import unquote, urlparse

import pytest

from scripts.report.page import write_page
from tests.browser import open_browser
from tests.report.toy import write_project

TABLE = "document.querySelector('#one-table-models table')"
SCORES = f"[...{TABLE}.tBodies[0].rows].map((row) => row.cells[1].textContent.trim())"
SORTS = f"[...{TABLE}.tHead.rows[0].cells].map((head) => head.getAttribute('aria-sort'))"
UP = ["-0.2", "0.694 [0.685, 0.703]", "0.7 ± 0.1", "10.5", "1,200", "–"]


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    folder = tmp_path_factory.mktemp("page")
    with contextlib.chdir(folder):
        write_page(**write_project(folder))
    browser = open_browser((folder / "results/report.html").as_uri(), str(folder / "profile"))
    browser.wait("document.readyState === 'complete'")
    yield browser
    browser.close()


@pytest.fixture
def fresh(browser):
    """The page as it opens, on a wide screen."""
    browser.send("Emulation.setDeviceMetricsOverride", width=1280, height=900, deviceScaleFactor=1, mobile=False)
    browser.send("Emulation.setEmulatedMedia", media="", features=[])
    browser.evaluate("window.stale = true; history.replaceState(null, '', location.pathname)")
    browser.evaluate("history.scrollRestoration = 'manual'")
    browser.send("Page.reload")
    browser.wait("!window.stale && document.readyState === 'complete'")
    return browser


def test_all_pictures_are_loaded(fresh):
    fresh.wait("[...document.images].every((image) => image.complete)")
    assert fresh.evaluate("document.images.length") == 6
    assert fresh.evaluate("[...document.images].filter((image) => !image.naturalWidth).length") == 0


def test_every_anchor_and_every_file_that_is_linked_exists(fresh):
    anchors = "[...document.querySelectorAll('a[href^=\"#\"]')].map((link) => link.hash.slice(1))"
    lost = fresh.evaluate(f"{anchors}.filter((id) => !document.getElementById(decodeURIComponent(id)))")
    assert lost == [] and fresh.evaluate(f"{anchors}.length") > 20
    files = fresh.evaluate("[...document.querySelectorAll('a:not([href^=\"#\"])')].map((link) => link.href)")
    assert len(files) > 15
    assert [file for file in files if not Path(unquote(urlparse(file).path)).exists()] == []


def test_a_click_sorts_numbers_and_tells_so(fresh):
    button = f"{TABLE}.tHead.rows[0].cells[1].querySelector('button')"
    x, y = fresh.evaluate(
        f"(() => {{ {button}.scrollIntoView({{block: 'center', behavior: 'instant'}});"
        f"const box = {button}.getBoundingClientRect(); return [box.x + box.width / 2, box.y + box.height / 2]; }})()"
    )
    fresh.press(x, y)
    assert fresh.evaluate(SCORES) == UP
    assert fresh.evaluate(SORTS)[:3] == [None, "ascending", None]
    fresh.press(x, y)
    assert fresh.evaluate(SCORES) == [*UP[-2::-1], "–"]
    assert fresh.evaluate(SORTS)[1] == "descending"


@pytest.mark.parametrize(("key", "text", "code"), [("Enter", "\r", 13), (" ", " ", 32)])
def test_a_key_sorts_words(fresh, key, text, code):
    fresh.evaluate(f"{TABLE}.tHead.rows[0].cells[0].querySelector('button').focus()")
    fresh.key(key, text, code)
    names = fresh.evaluate(f"[...{TABLE}.tBodies[0].rows].map((row) => row.cells[0].textContent)")
    assert names == sorted(names) and fresh.evaluate(SORTS)[0] == "ascending"
    assert fresh.evaluate("document.activeElement.tagName") == "BUTTON"


def test_a_phone_scrolls_tables_but_not_the_page(fresh):
    fresh.send("Emulation.setDeviceMetricsOverride", width=390, height=844, deviceScaleFactor=2, mobile=True)
    fresh.settle()
    assert fresh.evaluate("document.documentElement.scrollWidth") == 390
    region = "document.querySelector('#one-table-models [role=region]')"
    assert fresh.evaluate(f"{region}.scrollWidth > {region}.clientWidth && {region}.tabIndex === 0")
    assert fresh.evaluate(f"{region}.getAttribute('aria-label')") == "All models, table"


def test_the_dark_scheme_changes_the_ground_and_keeps_figures_on_white(fresh):
    ground, card = (
        "getComputedStyle(document.body).backgroundColor",
        "getComputedStyle(document.querySelector('.card'))",
    )
    light = fresh.evaluate(ground)
    fresh.send("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "dark"}])
    assert fresh.evaluate(ground) != light
    assert fresh.evaluate(f"{card}.backgroundColor") == "rgb(255, 255, 255)"


def test_the_first_tab_shows_a_link_that_skips_to_the_content(fresh):
    fresh.key("Tab", "", 9)
    link = "document.activeElement"
    assert fresh.evaluate(f"{link}.className") == "skip"
    assert fresh.evaluate(f"{link}.getBoundingClientRect().top >= 0")
    assert fresh.evaluate(f"getComputedStyle({link}).outlineStyle") == "solid"
    fresh.key("Enter", "\r", 13)
    fresh.wait("document.activeElement.id === 'main'")


def test_everything_that_takes_the_focus_shows_it(fresh):
    seen = set()
    for _ in range(45):
        fresh.key("Tab", "", 9)
        style = "getComputedStyle(document.activeElement)"
        width, tag = fresh.evaluate(f"[{style}.outlineWidth, document.activeElement.tagName]")
        assert width == "3px", tag
        seen.add(tag)
    assert {"A", "DIV"} <= seen


def test_pictures_links_buttons_regions_and_tables_have_names(fresh):
    fresh.send("Accessibility.enable")
    nodes = fresh.send("Accessibility.getFullAXTree")["nodes"]
    roles: dict[str, list[str]] = {}
    for node in nodes:
        if not node.get("ignored"):
            role = node["role"]["value"]
            roles.setdefault(role, []).append(node.get("name", {}).get("value", "").strip())
    for role in ("image", "link", "button", "region", "table", "columnheader", "heading", "navigation"):
        assert roles.get(role), role
        assert all(roles[role]), role
    assert {"main", "banner", "contentinfo"} <= roles.keys()
    assert fresh.evaluate("document.documentElement.lang") == "en"


def test_an_animation_can_be_stopped(fresh):
    picture = "document.querySelector('#one-cloud picture')"
    shown = f"{picture}.querySelector('img').currentSrc.slice(5, 15)"
    assert fresh.evaluate(shown) == "image/gif;"
    fresh.evaluate("document.querySelector('#one-cloud .pause').click()")
    fresh.wait(f"{shown} === 'image/webp'")
    assert fresh.evaluate("document.querySelector('#one-cloud .pause').textContent") == "Play the animation"
    fresh.evaluate("document.querySelector('#one-cloud .pause').click()")
    fresh.wait(f"{shown} === 'image/gif;'")


def test_readers_who_want_less_motion_get_the_still(fresh):
    fresh.send("Emulation.setEmulatedMedia", features=[{"name": "prefers-reduced-motion", "value": "reduce"}])
    fresh.wait("document.querySelector('#one-cloud img').currentSrc.startsWith('data:image/webp')")


def test_print_opens_what_is_folded_and_drops_what_only_a_screen_needs(fresh):
    fresh.send("Emulation.setEmulatedMedia", media="print")
    assert fresh.evaluate("getComputedStyle(document.querySelector('nav')).display") == "none"
    head = "document.querySelector('th button')"  # a button would be missing in the heads of further pages
    assert fresh.evaluate(f"getComputedStyle({head}).display") == "contents"
    closed = "document.querySelectorAll('details:not([open])').length"
    before = fresh.evaluate(closed)
    fresh.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert before > 5 and fresh.evaluate(closed) == 0
    fresh.evaluate("dispatchEvent(new Event('afterprint'))")
    assert fresh.evaluate(closed) == before


def test_the_contents_follow_the_reader(fresh):
    fresh.evaluate("document.getElementById('two-claims').scrollIntoView({behavior: 'instant'})")
    fresh.wait("document.querySelector('nav [aria-current]').hash === '#two-claims'")


def test_the_browser_found_no_error_and_asked_for_nothing(browser):
    assert browser.faults() == []
