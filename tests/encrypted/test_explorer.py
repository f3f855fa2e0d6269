"""The explorer: its content agrees with the released frames, and a real browser shows it, without a network."""

import base64
import re

import numpy as np
import pytest

from scripts.encrypted.explorer import SIZES, content, packed, sentence, sizes_of, write_explorer
from scripts.encrypted.labels import accuracies, at
from scripts.encrypted.transforms import matrix_of, reconstruction
from tests.browser import open_browser
from tests.encrypted.frames import frames, only, picture_frame
from tests.pages import data_block, policy, unlisted

CHOOSE = "by('{0}').value = '{1}'; by('{0}').dispatchEvent(new Event('change'))"
SLIDE = "by('k').value = {0}; by('k').dispatchEvent(new Event('input'))"
PAINTED = "[...by('rebuilt').getContext('2d').getImageData(0, 0, 32, 32).data].filter((_, at) => at % 4 === 0)"
WEIRD = "MNIST <b>5,000</b>"


@pytest.fixture(scope="module")
def held():
    title = "MNIST, 5,000 of its images"
    return {name: frame.replace({title: WEIRD}) for name, frame in frames().items()}  # names from data are text


@pytest.fixture(scope="module")
def page(held):
    return content(held)


@pytest.fixture(scope="module")
def written(held, tmp_path_factory):
    path = tmp_path_factory.mktemp("explorer") / "cost.html"
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


def slide(browser, page: dict, transform: str, k: int) -> dict:
    """Put the slider at k of a transform, and return what the page holds of that picture."""
    choose(browser, transform=transform)
    images = pictures(page, transform)
    place = next(place for place, image in enumerate(images) if image["k"] == k)
    browser.evaluate(SLIDE.format(place))
    return images[place]


def pictures(page: dict, transform: str) -> list[dict]:
    return next(entry for entry in page["picture"]["transforms"] if entry["key"] == transform)["images"]


def setting(page: dict, key: str, place: int = 0) -> dict:
    return next(one for one in page["places"][place]["settings"] if one["key"] == key)


def test_the_page_is_one_file_that_runs_only_what_it_brings(written, page):
    text = written.read_text(encoding="utf-8")
    assert unlisted(text) == [] and policy(text)["default-src"] == ["'none'"] and "unsafe" not in str(policy(text))
    assert data_block(text) == page and "<b>5,000</b>" not in text
    assert len(text) < 400_000


def test_pictures_are_those_of_the_transforms(page, held):
    pixels = held["picture"]["value"].to_numpy()
    for transform, k in (("dct", 49), ("block_dct", 48), ("pooling", 64), ("crop", 49), ("subsampling", 16)):
        (found,) = [image for image in pictures(page, transform) if image["k"] == k]
        matrix = matrix_of(transform, 32, k)
        expected = reconstruction(matrix, (matrix @ pixels)[None])[0]
        held_bytes = np.frombuffer(base64.b64decode(found["pixels"]), np.uint8)
        assert np.abs(held_bytes - np.clip(255 * expected, 0, 255)).max() <= 0.5 + 1e-6
    for transform in ("dct", "pooling", "crop", "subsampling", "pixels"):  # all numbers are the picture itself
        assert pictures(page, transform)[-1]["pixels"] == page["picture"]["pixels"] == packed(pixels)


def test_kept_energy_grows_to_all_of_it(page):
    for transform in ("dct", "block_dct"):
        energies = [float(re.search(r"keep ([\d.]+) %", image["says"])[1]) for image in pictures(page, transform)]
        assert energies == sorted(energies) and energies[0] < 90
    last = pictures(page, "dct")[-1]
    assert last["says"].startswith("1,024 of 1,024 numbers keep 100.0 %") and "±0 of 255" in last["says"]


def test_measured_numbers_can_be_chosen_where_the_picture_has_them():
    assert sizes_of("pooling", 32, [16, 64, 256]) == [1, 4, 16, 64, 256, 1024]
    assert 50 in sizes_of("dct", 32, [50]) and 50 not in sizes_of("dct", 32, []) and max(SIZES) < 1024
    assert sizes_of("dct", 8, [784])[-1] == 64  # of a digit, no more than it has pixels


def test_numbers_are_those_of_the_frames(page, held):
    found, metrics, efficiency = setting(page, "dct-49"), held["metrics"], at(held["efficiency"], "mnist")
    own = at(metrics, "mnist", setting="dct-49", metric="accuracy", protocol="corrected")
    assert found["clear"] == pytest.approx(own[own["condition"] == "mode=clear"]["value"].mean(), abs=1e-5)
    assert found["encrypted"] == pytest.approx(own[own["condition"] == "mode=encrypted"]["value"].item(), abs=1e-5)
    costs = efficiency[(efficiency["setting"] == "dct-49") & (efficiency["packing"] == "slots")].set_index("metric")
    for name, metric in (("cpu", "cpu_ms_per_image"), ("up", "bytes_up_per_image"), ("down", "bytes_down_per_image")):
        assert found[name] == pytest.approx(costs.loc[metric, "value"], abs=1e-4)
    assert page["places"][0]["name"] == WEIRD and not setting(page, "dct-49-deep")["plain"]


def test_sentences_say_what_is_missing(held):
    known = accuracies(held["metrics"], held["settings"]).assign(cpu=1.5, up=2000.0)
    row = next(known[known["setting"] == "dct-16"].itertuples())
    assert "1.50 ms of CPU per image and is sent 2.0 kB" in sentence(row)
    nothing = dict.fromkeys(("encrypted", "ci_low", "ci_high", "cpu", "up", "kept_energy"), float("nan"))
    text = sentence(row._replace(**nothing))
    assert "not measured under encryption" in text and "CPU" not in text and "energy" not in text and "nan" not in text


def test_parts_may_be_missing(held):
    assert [place["name"] for place in content(only(held, sources=("faces",)))["places"]] == ["rendered faces, Smiling"]
    some = content(only(held, transform=("pixels", "dct")))
    assert {entry["key"] for entry in some["transforms"]} == {"block_dct", "pooling", "subsampling", "crop"}
    empty = content({name: frame.head(0) for name, frame in held.items()})
    assert empty["places"] == [] and empty["picture"] is None
    digit = content(held | {"picture": picture_frame(8)})
    assert pictures(digit, "dct")[-1]["k"] == 64 and pictures(digit, "pixels")[0]["k"] == 64


def test_it_opens_on_dct_with_its_picture_and_sentence(browser, page):
    choose(browser, place=0)
    image = slide(browser, page, "dct", 49)
    assert browser.evaluate("by('holds').textContent") == image["says"]
    assert browser.evaluate("by('says').textContent") == setting(page, "dct-49")["says"]
    assert browser.evaluate("by('nearest').textContent") == "Measured with k = 49."
    assert browser.evaluate("by('k-text').textContent") == "49 numbers"
    assert browser.evaluate("document.querySelectorAll('tbody tr').length") == len(page["places"][0]["settings"])
    assert browser.evaluate("document.querySelector('tr.chosen th').textContent") == "DCT 49"
    assert browser.evaluate("document.querySelectorAll('#plane circle.own').length") == 3
    assert browser.evaluate("document.querySelector('main b')") is None


def test_the_canvas_holds_the_picture(browser, page):
    for transform, k in (("dct", 16), ("pooling", 64), ("crop", 196)):
        image = slide(browser, page, transform, k)
        assert browser.evaluate(PAINTED) == list(base64.b64decode(image["pixels"]))


def test_between_measured_numbers_the_nearest_is_named(browser, page):
    choose(browser, place=0)
    slide(browser, page, "dct", 81)
    text = browser.evaluate("by('nearest').textContent")
    assert text == f"k = 81 was not measured on {WEIRD}; the nearest that was is k = 49."  # by ratio
    assert browser.evaluate("by('says').textContent") == setting(page, "dct-49")["says"]
    slide(browser, page, "dct", 100)
    assert "nearest that was is k = 196." in browser.evaluate("by('nearest').textContent")


def test_a_transform_that_was_not_run_says_so(browser, page):
    choose(browser, place=2, transform="crop")
    text = browser.evaluate("by('says').textContent")
    assert text.startswith(
        "centre crop was not run on rendered faces, Smiling. There are: DCT of the whole image, mean"
    )
    assert browser.evaluate("document.querySelector('tr.chosen')") is None
    assert browser.evaluate("document.querySelectorAll('#plane .ring').length") == 0


def test_the_wanted_number_survives_a_transform_that_lacks_it(browser, page):
    choose(browser, place=0)
    slide(browser, page, "dct", 147)
    choose(browser, transform="pooling")
    assert browser.evaluate("by('k-text').textContent") == "256 numbers"
    choose(browser, transform="dct")
    assert browser.evaluate("by('k-text').textContent") == "147 numbers"


def test_every_setting_can_be_chosen_in_the_table(browser, page):
    for number, place in enumerate(page["places"]):
        choose(browser, place=number)
        for one in place["settings"]:
            click = f"document.querySelector('tbody button[data-key=\"{one['key']}\"]').click()"
            if not one["plain"]:
                continue
            browser.evaluate(click)
            nearest = browser.evaluate("by('says').textContent")
            alike = [other["says"] for other in place["settings"] if other["transform"] == one["transform"]]
            known = {image["k"] for image in pictures(page, one["transform"])}
            assert nearest == one["says"] if one["k"] in known else nearest in alike


def test_keys_move_the_slider_and_focus_stays_in_the_table(browser, page):
    choose(browser, place=0)
    slide(browser, page, "dct", 49)
    browser.evaluate("by('k').focus()")
    browser.key("ArrowRight", code=39)
    browser.settle()
    assert browser.evaluate("by('k-text').textContent") == "64 numbers"
    assert browser.evaluate("by('k').getAttribute('aria-valuetext')") == "64 numbers"
    for name in ("place", "transform", "k"):
        browser.evaluate(f"by('{name}').focus()")
        assert browser.evaluate("document.activeElement.id") == name
    browser.evaluate("document.querySelector('tbody button[data-key=\"pooling-16\"]').click()")
    assert browser.evaluate("document.activeElement.dataset.key") == "pooling-16"


def test_a_phone_shows_the_whole_page(browser):
    browser.send("Emulation.setDeviceMetricsOverride", width=390, height=844, deviceScaleFactor=2, mobile=True)
    choose(browser, place=1)
    browser.settle()
    assert browser.evaluate("document.documentElement.scrollWidth") == 390
    browser.send("Emulation.clearDeviceMetricsOverride")


def test_no_fault_and_no_address_outside(browser):
    assert browser.faults() == []


@pytest.mark.parametrize("case", ["nothing", "no picture"])
def test_a_page_of_less_says_so_without_a_fault(held, case, tmp_path):
    less = {name: frame.head(0) for name, frame in held.items()} if case == "nothing" else dict(held)
    write_explorer(less | {"picture": held["picture"].head(0)}, tmp_path / "cost.html")
    opened = open_browser((tmp_path / "cost.html").as_uri(), str(tmp_path / "profile"))
    opened.wait("by('k-text').textContent !== ''")
    if case == "nothing":
        assert opened.evaluate("by('k-text').textContent") == "These results hold no settings to choose from."
    else:
        assert opened.evaluate("by('pictures').hidden") and opened.evaluate("by('k-text').textContent") == "49 numbers"
        assert opened.evaluate("by('nearest').textContent") == "Measured with k = 49."
    assert opened.faults() == []
    opened.close()


def test_pixels_are_cut_off_at_black_and_white():
    assert base64.b64decode(packed(np.array([-0.2, 0.0, 0.5, 1.0, 1.4]))) == bytes([0, 0, 128, 255, 255])
