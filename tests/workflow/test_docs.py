"""The front page and docs/ are those that the rules make of the shipped releases; every link leads somewhere."""

import re
from pathlib import Path

import matplotlib.testing.compare
import numpy as np
import pytest
from PIL import Image, ImageSequence

from scripts.common import studies
from tests.workflow.conftest import ROOT, snakemake

CURRENT = "test_the_page_of_a_study_is_current"
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = [ROOT / "README.md", *sorted(ROOT.glob("docs/**/*.md")), *ROOT.glob("CONTRIBUTING.md")]
RELEASES = ROOT / "releases/preview"
STUDIES = studies.in_order(studies.study_names(ROOT), ROOT)


def test_the_front_page_fits_one_screen():
    assert len(README.encode()) <= 8 * 1024
    assert len(README.splitlines()) <= 120
    made = "".join(re.findall(r"<!-- begin .*? -->\n(.*?)<!-- end", README, re.S))
    assert len(made.encode()) <= 3 * 1024


def test_the_front_page_says_in_its_order_what_where_and_how():
    order = ["# Counterweight", "![", "<!-- begin studies -->", "make figures RELEASED=releases/preview", "make tour"]
    order += ["make study ", "## What is real", "docs/running.md", "CITATION.cff"]
    places = [README.index(part) for part in order]
    assert places == sorted(places)
    rows = re.findall(r"^\| \[(\w+)\]\(docs/studies/(\w+)\.md\)", README, re.M)
    assert rows == [(study, study) for study in STUDIES]


def anchors(path: Path) -> set[str]:
    """Return what a link into a page may name: its headings as GitHub does, and its ids."""
    text = re.sub(r"^```.*?^```$", "", path.read_text(encoding="utf-8"), flags=re.M | re.S)
    headings = re.findall(r"^#+ (.*)$", text, re.M)
    slugs = {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}
    return slugs | set(re.findall(r'<a id="([^"]+)">', text))


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_leads_to_a_file_and_a_place_in_it(page):
    text = re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.M | re.S)
    broken = []
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        if "://" in link:
            continue
        name, _, place = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        if not target.exists() or (place and place not in anchors(target)):
            broken.append(link)
    assert broken == []


def test_every_page_is_linked_to_from_the_front_page_or_the_index():
    linked = set()
    for page in (ROOT / "README.md", ROOT / "docs/studies/README.md"):
        for link in re.findall(r"\]\(([^)#\s]+)", page.read_text(encoding="utf-8")):
            linked.add((page.parent / link).resolve())
    assert [page for page in ROOT.glob("docs/**/*.md") if page.resolve() not in linked] == []


@pytest.fixture(scope="module")
def made(request, tmp_path_factory) -> Path:
    """The pages of the selected studies and their rows of the front page, made of their releases alone, in one run."""
    folder = tmp_path_factory.mktemp("docs")
    selected = [item.callspec.params["study"] for item in request.session.items if item.originalname == CURRENT]
    (folder / "releases").mkdir()
    for study in selected:
        (folder / f"releases/{study}.zip").symlink_to(RELEASES / f"{study}.zip")
    targets = [*(f"results/docs/studies/{study}.md" for study in selected), "results/docs/parts/studies.md"]
    result = snakemake(folder, "--keep-going", *targets, "--config", "released=releases", config=None)
    assert result.returncode == 0, result.stdout[-3000:]
    return folder / "results/docs"


@pytest.mark.slow
@pytest.mark.parametrize("study", STUDIES)
def test_the_page_of_a_study_is_current(study, made):
    page = ROOT / f"docs/studies/{study}.md"
    assert page.read_text(encoding="utf-8") == (made / f"studies/{study}.md").read_text(encoding="utf-8")
    rows = (made / "parts/studies.md").read_text(encoding="utf-8").splitlines()
    (row,) = [line for line in rows if line.startswith(f"| [{study}](")]
    assert row in README.splitlines()
    pictures = {path.name for path in (ROOT / f"docs/studies/{study}").iterdir()}
    assert pictures == {path.name for path in (made / f"studies/{study}").glob("*.[pg]*")}
    for name in sorted(pictures):  # the same pictures, whatever a machine's rounding does to the edge of a mark
        old, new = ROOT / f"docs/studies/{study}" / name, made / f"studies/{study}" / name
        if name.endswith(".png"):
            assert matplotlib.testing.compare.compare_images(old, new, tol=2.0) is None, name
        else:
            assert frames_apart(old, new) < 2.0, name


def frames_apart(first: Path, second: Path) -> float:
    """Return the largest root-mean-square difference of two animations' frames, in grey levels."""
    with Image.open(first) as a, Image.open(second) as b:
        assert a.n_frames == b.n_frames and a.size == b.size
        pairs = zip(ImageSequence.Iterator(a), ImageSequence.Iterator(b), strict=True)
        levels = ([np.asarray(frame.convert("L"), float) for frame in pair] for pair in pairs)
        return max(float(np.sqrt(((x - y) ** 2).mean())) for x, y in levels)
