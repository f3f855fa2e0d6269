"""The README's verdicts, studies, pictures and rule graph are those that the rules make of the shipped release."""

import re
from pathlib import Path

import matplotlib.testing.compare
import numpy as np
import pytest
from PIL import Image, ImageSequence

from scripts.common.errors import UserError
from scripts.report.readme import put_between_marks
from scripts.report.rulegraph import mermaid
from tests.workflow.conftest import ROOT, clone_into, snakemake

README = (ROOT / "README.md").read_text(encoding="utf-8")
RELEASE = ROOT / "releases/preview.zip"


def test_what_stood_between_the_marks_is_replaced():
    text = "before\n<!-- begin models -->\nold\n<!-- end models -->\nafter\n"
    found = put_between_marks(text, "models", "| a |\n|---|\n| 1 |\n")
    assert found == "before\n<!-- begin models -->\n| a |\n|---|\n| 1 |\n<!-- end models -->\nafter\n"


def test_missing_marks_are_named():
    with pytest.raises(UserError, match="begin models"):
        put_between_marks("no marks", "models", "table")


def test_every_file_and_row_that_the_readme_links_to_exists():
    links = re.findall(r"\]\(([^)\s]+)\)", README)
    files = [link for link in links if "://" not in link and not link.startswith("#")]
    assert len(files) >= 6
    assert [link for link in files if not (ROOT / link).exists()] == []
    headings = {
        re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in re.findall(r"^#+ (.*)$", README, re.M)
    }
    names = headings | set(re.findall(r'<a id="([^"]+)">', README))
    assert [link for link in links if link.startswith("#") and link[1:] not in names] == []


def test_the_graph_has_a_box_per_rule_file_and_no_rule_outside():
    graph = "---\nflowchart TB\n\tid0[all]\n\tid1[b]\n\tid2[a]\n\tid2 --> id1\n\tid1 --> id0\n"
    text = mermaid(graph, {"a": "data", "b": "study", "c": "study"})
    lines = ["flowchart LR", '  subgraph box_data["rules/data.smk"]', "    a", "  end"]
    lines += ['  subgraph box_study["rules/study.smk"]', "    b", "  end", "  a --> b"]
    assert text.splitlines() == lines
    with pytest.raises(ValueError, match="none of the rules"):
        mermaid(graph, {})


@pytest.fixture(scope="module")
def renewed(tmp_path_factory):
    """A clone in which the README was made again from the shipped release."""
    clone = clone_into(tmp_path_factory.mktemp("readme"))
    result = snakemake(clone, "readme", "--config", f"released={clone / RELEASE.relative_to(ROOT)}", config=None)
    assert result.returncode == 0, result.stdout[-3000:]
    return clone


@pytest.mark.slow
def test_the_text_is_current(renewed):
    assert (renewed / "README.md").read_text(encoding="utf-8").splitlines() == README.splitlines()


@pytest.mark.slow
def test_the_pictures_are_current(renewed):
    shown = [link for link in re.findall(r"!\[[^\]]*\]\((pictures/[^)]+)\)", README) if "/data/" not in link]
    assert len(shown) >= 3
    for link in shown:  # the same pictures, whatever a machine's rounding does to the edge of a mark
        if link.endswith(".png"):
            assert matplotlib.testing.compare.compare_images(ROOT / link, renewed / link, tol=2.0) is None, link
        else:
            assert frames_apart(ROOT / link, renewed / link) < 2.0, link


def frames_apart(first: Path, second: Path) -> float:
    """Return the largest root-mean-square difference of two animations' frames, in grey levels."""
    with Image.open(first) as a, Image.open(second) as b:
        assert a.n_frames == b.n_frames and a.size == b.size
        pairs = zip(ImageSequence.Iterator(a), ImageSequence.Iterator(b), strict=True)
        levels = ([np.asarray(frame.convert("L"), float) for frame in pair] for pair in pairs)
        return max(float(np.sqrt(((x - y) ** 2).mean())) for x, y in levels)
