"""The page of a study: its sentence with numbers that results fill in, claims by whose they are, and its mistakes."""

import pandas as pd
import pytest
import yaml

from scripts.claims.claims_file import read_claims
from scripts.common import parquet, studies
from scripts.common.errors import UserError
from scripts.common.references import cite
from scripts.common.schemas.claims import CLAIMS
from scripts.report import tour
from scripts.report.docs_study import caption, write_page
from scripts.report.found import sentence
from tests.common.test_config import ROOT
from tests.report.toy import REFERENCE, about, claim, write_study

METRICS = pd.DataFrame(
    [("m", "corrected", 1, 0.125, 0.1, 0.2, 9), ("m", "corrected", 2, 0.375, 0.3, 0.4, 9)],
    columns=["metric", "protocol", "seed", "value", "ci_low", "ci_high", "n"],
)


@pytest.fixture
def claims() -> pd.DataFrame:
    said = {"origin": "paper", "confidence": "verified"}
    lines = [
        claim("one", "price", **said),
        claim("one", "price", protocol="as_published", verdict="not reproduced", **said),
        claim("one", "memory", **said | {"confidence": "unverified"}),
        claim("one", "finding", origin="ours", confidence=None),
        claim("one", "golden", origin="package", confidence="verified"),
    ]
    return pd.DataFrame(lines).astype({"n": "Int64", "seeds": "Int64"})


def filled(entry: dict, claims: pd.DataFrame, tables: dict | None = None) -> str:
    found = {"sentence": "It costs {cost}.", "numbers": {"cost": entry}}
    return sentence(found, claims, tables or {}, "study.yaml")


@pytest.mark.parametrize(
    ("entry", "written"),
    [
        ({"claim": "price", "protocol": "corrected"}, "1.05"),
        ({"claim": "price", "protocol": "corrected", "digits": 0, "percent": True}, "105 %"),
        ({"claim": "price", "protocol": "corrected", "digits": 1, "times": -10}, "-10.5"),
        ({"claim": "price", "protocol": "corrected", "shows": "published"}, "0.74"),
        ({"claim": "price", "protocol": "corrected", "shows": "seeds", "digits": 0}, "2"),
        ({"measure": {"file": "metrics", "select": {"metric": "m"}}, "protocol": "corrected"}, "0.25"),
        ({"measure": {"file": "metrics", "select": {"metric": "m"}}, "protocol": "as_published"}, "–"),
    ],
)
def test_a_number_is_read_from_a_claim_or_a_table(entry, written, claims, tmp_path):
    parquet.write(METRICS, tmp_path / "metrics.parquet")
    assert filled(entry, claims, {"metrics": tmp_path / "metrics.parquet"}) == f"It costs {written}."


def test_a_number_that_these_results_lack_is_a_dash(claims):
    claims["value"] = None
    assert filled({"claim": "price", "protocol": "corrected"}, claims) == "It costs –."


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"claim": "prize", "protocol": "corrected"}, "study.yaml: found.numbers.cost: the study has no claim 'prize'"),
        ({"claim": "memory", "protocol": "as_published"}, "no claim 'memory' in the protocol as_published"),
        ({"measure": {"file": "metric", "select": {}}, "protocol": "corrected"}, "'metric' is not among the released"),
    ],
)
def test_a_number_of_nothing_is_one_line(entry, message, claims):
    with pytest.raises(UserError, match=message):
        filled(entry, claims)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"found": None}, "'found' is a required property"),
        ({"order": None}, "'order' is a required property"),
        ({"order": 0}, "order: 0 is less than the minimum"),
        ({"found": {"sentence": "It costs {price}.", "numbers": {}}}, "{price} is not among found.numbers"),
        ({"found": {"sentence": "It costs {price.", "numbers": {}}}, "found.sentence"),
        ({"found": {"sentence": "Free.", "numbers": {"a": {"claim": "abc", "protocol": "corrected"}}}}, "'a' does not"),
        ({"found": {"sentence": "{a}", "numbers": {"a": {"protocol": "corrected"}}}}, "found"),
        ({"found": {"sentence": "{a}", "numbers": {"a": 0.7}}}, "found.numbers.a"),
        ({"docs": {"figures": ["nowhere"]}}, "docs.figures: 'nowhere' is not among the study's figures"),
        ({"explorers": {"nowhere": "Choose a plan"}}, "explorers: 'nowhere' is not among the study's figures, beside"),
    ],
)
def test_a_study_without_its_sentence_or_order_is_refused(change, message, tmp_path):
    write_study(tmp_path, "one", {key: value for key, value in (about("One") | change).items() if value is not None})
    with pytest.raises(UserError) as error:
        studies.describe("one", tmp_path)
    assert message in str(error.value) and "scripts/one/study.yaml" in str(error.value)


def test_studies_come_in_their_order_and_none_twice(tmp_path):
    for name, order in (("one", 2), ("two", 1), ("three", 2)):
        write_study(tmp_path, name, about(name, order=order))
    assert studies.in_order(["one", "two"], tmp_path) == ["two", "one"]
    with pytest.raises(UserError, match=r"scripts/three/study.yaml: order: 2 is the order of one too"):
        studies.in_order(["one", "three", "two"], tmp_path)


@pytest.fixture
def written(claims, tmp_path, monkeypatch):
    """A page of a toy study in the place where the rule writes it."""
    monkeypatch.chdir(tmp_path)
    shown = {"figures": ["front", "cloud"], "tables": ["models"]}
    write_study(tmp_path, "one", about("One", docs=shown), "A ``code`` and :math:`x^2`.")
    (tmp_path / "results/one/tables/models.md").write_text("All.\n\n| a |\n|---|\n| 1 |\n", encoding="utf-8")
    parquet.write(claims, "claims.parquet", CLAIMS)
    pictures = ["results/one/figures/front.png", "results/one/figures/cloud.gif"]
    place = tmp_path / "results/docs/studies"
    tables = ["results/one/tables/models.md"]
    write_page("one", tmp_path, "claims.parquet", [], tables, pictures, place / "one.md", place / "one")
    return place / "one.md"


def test_the_page_says_it_all_in_order(written):
    text = written.read_text(encoding="utf-8")
    parts = [
        "**What was found.** It costs 1.05 points.",
        "**corrected**: Everything is done well.",
        "![Points that fall from left to right.](one/front.png)",
        "A `code` and $x^2$.",
        "](one/cloud.gif)",
        "2 claims: ✅ 1 reproduced, 🟡 0 partly, ❌ 1 not reproduced, ⚪ 0 not testable here.",
        "The sentence of memory.",
        "<summary>Findings of ours: 1</summary>",
        "The sentence of finding.",
        "<summary>Numbers of a released package: 1</summary>",
        "The sentence of golden.",
        "<summary>All models</summary>",
        "- The data are made up.",
        "- It says nothing.",
        f"- `{REFERENCE['id']}`: {cite(REFERENCE)}",
    ]
    places = [text.index(part) for part in parts]
    assert places == sorted(places)
    assert {path.name for path in (written.parent / "one").iterdir()} == {"front.png", "cloud.gif"}


def test_a_claim_shows_both_verdicts_and_how_surely_it_is_known(written):
    rows = {
        row.split("</a>")[1].split(".")[0]: row
        for row in written.read_text(encoding="utf-8").splitlines()
        if "<a id" in row
    }
    both = rows["The sentence of price"]
    assert both.index("❌ not reproduced: 1.050 [-0.200, 2.300], 2 seeds") < both.index("✅ reproduced: 1.050")
    assert "0.74 points, read off a picture, unverified" in rows["The sentence of memory"]
    assert "unverified" not in both and '<a id="claim-price">' in both


def test_a_missing_caption_is_named(tmp_path):
    with pytest.raises(UserError, match=r"front.rst: no such file"):
        caption(tmp_path / "front.rst")


def test_the_tour_ends_with_what_was_found_and_files_that_exist(written, tmp_path):
    with pytest.raises(UserError, match=r"docs/studies/README.md: no such file"):
        tour.message("one", tmp_path)
    (tmp_path / "docs/studies").mkdir(parents=True)
    (tmp_path / "docs/studies/README.md").touch()
    text = tour.message("one", tmp_path)
    assert "Found: It costs 1.05 points." in text
    named = [line.split()[0] for line in text.split("Look next at")[1].strip().splitlines()]
    assert len(named) == 4 and all((tmp_path / path).exists() for path in named)


def test_the_studies_of_the_project_are_described():
    names = studies.study_names(ROOT)
    assert studies.in_order(names, ROOT)[0] == "tradeoffs" and len(names) >= 6
    for name in names:
        content = yaml.safe_load((ROOT / f"scripts/{name}/study.yaml").read_text(encoding="utf-8"))
        assert list(content)[:3] == ["title", "order", "found"] and list(content)[-1] == "docs", name
        assert not any(letter.isdigit() for letter in content["found"]["sentence"]), name


def test_every_number_of_a_sentence_is_one_that_the_study_has():
    for name in studies.study_names(ROOT):
        claims = {claim["id"]: claim["protocols"] for claim in read_claims(ROOT / f"scripts/{name}/claims.yaml")}
        for number in studies.describe(name, ROOT)["found"]["numbers"].values():
            if "claim" in number:
                assert number["protocol"] in claims.get(number["claim"], ()), f"{name}: {number}"
