"""The page as text: everything is there, escaped, in one file, and its mistakes are named in one line."""

import itertools
import json
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import pytest

from scripts.common import html
from scripts.common.errors import UserError
from scripts.report import page
from scripts.report.page import duration, file_size, hardware_text, moment, write_page
from tests.pages import unlisted
from tests.report.toy import HOSTILE, about, manifest, write_project, write_study

CSS = "".join(path.read_text(encoding="utf-8") for path in (html.SHARED / "base.css", page.HERE / "page.css"))


class Elements(HTMLParser):
    """The elements of a page as (tag, attributes), and its text."""

    def __init__(self, text: str):
        super().__init__()
        self.found, self.text = [], ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text += data

    def of(self, tag: str) -> list[dict]:
        return [attributes for name, attributes in self.found if name == tag]


@pytest.fixture
def project(tmp_path, monkeypatch) -> dict:
    """A made-up project in a folder of its own; the arguments that make its page."""
    monkeypatch.chdir(tmp_path)
    return write_project(tmp_path)


@pytest.fixture
def text(project) -> str:
    write_page(**project)
    return Path("results/report.html").read_text(encoding="utf-8")


def test_every_study_has_its_parts_and_every_claim_its_row(text):
    ids = [attributes["id"] for _, attributes in Elements(text).found if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert {"verdicts", "provenance", "one-figures", "two-figures", "one-front", "one-table-models"} <= set(ids)
    rows = {"claim-one-price-corrected", "claim-one-price-as_published", "claim-one-order-corrected"}
    assert {*rows, "claim-one-fails-corrected", "claim-one-untested-corrected", "claim-two-hostile-corrected"} <= set(
        ids
    )


def test_a_claims_row_says_all_that_its_verdict_rests_on(text):
    words = " ".join(Elements(text[text.index('id="claim-one-price-corrected"') :].split("</tr>")[0]).text.split())
    parts = ["0.74 points", "read off a picture", "1.050", "[-0.200, 2.300] points", "n = 2,187, 2 seeds"]
    parts += ["0.74 ± 0.5", "Tolerance from sampling error", "reproduced", "within the tolerance", "figure_3.png"]
    for part in parts:
        assert part in words, part


def test_the_head_says_what_the_run_rests_on(text):
    head = " ".join(Elements(text[text.index("<header>") : text.index("</header>")]).text.split())
    assert "rendered faces (one, two; drawn by the workflow, no photographs)" in head
    assert "2026-11-24 16:42 UTC" in head and "0123456789ab with uncommitted changes" in head


def test_headings_are_in_order_and_one_is_the_first(text):
    levels = [int(tag[1]) for tag, _ in Elements(text).found if re.fullmatch("h[1-6]", tag)]
    assert levels.count(1) == 1 and levels[0] == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))


def test_names_from_the_data_are_text(text):
    elements = Elements(text)
    assert len(elements.of("script")) == 1 and not elements.of("b")
    assert not [attributes for _, attributes in elements.found if any(name.startswith("on") for name in attributes)]
    assert all(attributes["src"].startswith("data:") for attributes in elements.of("img"))
    assert "<script>alert" not in text and "&lt;script&gt;alert" in text


def test_nothing_outside_the_file_is_named(text):
    elements = Elements(text)
    addresses = [attributes.get(name, "") for _, attributes in elements.found for name in ("src", "srcset", "href")]
    assert not [address for address in addresses if "://" in address or address.startswith("//")]
    assert "url(" not in CSS and "@import" not in CSS
    policy = next(about["content"] for about in elements.of("meta") if "http-equiv" in about)
    assert policy.startswith("default-src 'none'; img-src data:; style-src 'sha256-") and "unsafe" not in policy
    assert unlisted(text) == []


def test_the_same_results_give_the_same_page(project, text):
    write_page(**project)
    assert Path("results/report.html").read_text(encoding="utf-8") == text


def test_html_is_valid(text):
    tidy = shutil.which("tidy")
    if tidy is None:
        pytest.skip("tidy is not installed: the HTML is not checked for validity")
    command = [tidy, "-errors", "-quiet", "--drop-empty-elements", "no"]
    checked = subprocess.run([*command, "results/report.html"], text=True, capture_output=True, encoding="utf-8")
    assert checked.stderr.strip() == ""


def test_a_released_run_says_so(project):
    Path("results/manifest.json").write_text(json.dumps(manifest(redrawn_from={"archive": "a.zip"})), encoding="utf-8")
    write_page(**project)
    assert "from released metrics" in Path("results/report.html").read_text(encoding="utf-8")


def test_a_manifest_that_knows_nothing_leaves_no_gap(project):
    Path("results/manifest.json").write_text("{}", encoding="utf-8")
    write_page(**project)
    assert "Not measured in this run" in Path("results/report.html").read_text(encoding="utf-8")


def test_a_study_without_claims_is_told_of(project, tmp_path):
    write_study(tmp_path, "three", about("The third study", figures={}, tables={}, explorers={}))
    project["metrics"]["three"] = "results/three/metrics.parquet"
    write_page(**project)
    text = Path("results/report.html").read_text(encoding="utf-8")
    assert "No claims of this study" in text and "This study draws no figures" in text


def broken(path: str, content: str | bytes | None):
    """Replace a file by other content, or remove it."""
    if content is None:
        Path(path).unlink()
    else:
        Path(path).write_bytes(content if isinstance(content, bytes) else content.encode())


MISTAKES = {
    "no picture": ("results/one/figures/front.png", None, "front.png: no such file"),
    "damaged picture": ("results/one/figures/front.png", b"GIF89a", "front.png: damaged or not an image"),
    "no table": ("results/one/tables/models.csv", None, "models.csv: no such file"),
    "empty table": ("results/one/tables/models.csv", "", "models.csv: empty"),
    "ragged table": ("results/one/tables/models.csv", "a,b\n1\n", "rows of different length"),
    "broken caption": ("scripts/one/captions/front.rst", "A *caption.", "front.rst: no valid reStructuredText"),
    "raw HTML": ("scripts/one/captions/front.rst", ".. raw:: html\n\n   <b>x</b>", "front.rst: no valid"),
    "broken manifest": ("results/manifest.json", "{", "manifest.json: damaged or no JSON"),
    "another manifest": ("results/manifest.json", "[]", "manifest.json: not a JSON object"),
    "no manifest": ("results/manifest.json", None, "manifest.json: no such file"),
    "broken claims": ("results/claims.parquet", "x", "claims.parquet: damaged"),
}


@pytest.mark.parametrize("case", MISTAKES)
def test_a_broken_file_is_named_and_no_page_is_written(project, case):
    path, content, words = MISTAKES[case]
    broken(path, content)
    with pytest.raises(UserError, match=re.escape(words)):
        write_page(**project)
    assert not Path("results/report.html").exists()


@pytest.mark.parametrize(("alt", "words"), [("   ", "alt: blank"), (None, "'alt' is a required property")])
def test_a_figure_without_alternative_text_is_refused(project, tmp_path, alt, words):
    content = about("The third study", tables={})
    content["figures"]["front"]["alt"] = alt
    if alt is None:
        del content["figures"]["front"]["alt"]
    write_study(tmp_path, "three", content)
    project["metrics"]["three"] = "results/three/metrics.parquet"
    with pytest.raises(UserError, match=words):
        write_page(**project)


def test_a_page_that_is_too_large_is_told_of(project, monkeypatch, caplog):
    monkeypatch.setattr(page, "MEGABYTES", 0.001)
    monkeypatch.setattr(page.log, "propagate", True)  # a job of an earlier test may have switched it off
    write_page(**project)
    assert "more than" in caplog.text


def test_times_and_sizes_read_well():
    assert [duration(seconds) for seconds in (None, 4.2, 185, 6720)] == ["–", "4.2 s", "3 min 5 s", "1 h 52 min"]
    assert [file_size(count) for count in (None, 12, 12_900, 1_234_567)] == ["–", "12 B", "13 kB", "1.2 MB"]
    assert moment("2026-11-24T17:42:09+01:00") == "2026-11-24 16:42 UTC"
    hardware = {"cpu": "a b", "cores": 2, "memory_mb": 24105, "gpus": [], "cards": ["x", "y"], "gpu": None}
    assert hardware_text(hardware) == "cpu: a b, cores: 2, memory: 24,105 MB, cards: x, y"
    assert hardware_text(None) == "unknown"
    assert (moment(HOSTILE), moment(None)) == (HOSTILE, "at an unknown time")


def luminance(colour: str) -> float:
    """Return the relative luminance of "#rrggbb" or "#rgb" (WCAG 2)."""
    digits = colour.lstrip("#")
    digits = "".join(2 * digit for digit in digits) if len(digits) == 3 else digits
    parts = [int(digits[place : place + 2], 16) / 255 for place in (0, 2, 4)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_from_its_ground(scheme):
    blocks = [dict(re.findall(r"--([\w-]+): (#\w+)", block)) for block in re.findall(r":root \{(.*?)\}", CSS, re.S)]
    colours = blocks[0] | (blocks[1] if scheme == "dark" else {})
    pairs = [(text, ground) for text in ("text", "quiet", "link") for ground in ("ground", "raised", "chosen")]
    pairs += [(look, f"{look}-ground") for look in ("holds", "partly", "fails", "untested")]
    pairs += [(look, "ground") for look in ("holds", "partly", "fails", "untested")]
    for text, ground in pairs:
        light, dark = sorted((luminance(colours[text]), luminance(colours[ground])), reverse=True)
        assert (light + 0.05) / (dark + 0.05) >= 4.5, (scheme, text, ground)
