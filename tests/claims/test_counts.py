"""Headlines count the claims of papers once each, and nothing of ours."""

import pandas as pd
import pytest

from scripts.claims import figure_claims_by_study
from scripts.claims.counts import counts_by_origin, headline_claims, headline_counts
from scripts.claims.verdicts import NOT_REPRODUCED, NOT_TESTABLE, PARTLY, REPRODUCED
from scripts.common import figures, parquet

LINES = [
    ("one", "price", "corrected", "paper", REPRODUCED),
    ("one", "price", "as_published", "paper", NOT_REPRODUCED),  # the one that counts
    ("one", "order", "corrected", "theorem", PARTLY),
    ("one", "digits", "as_published", "package", REPRODUCED),
    ("one", "ours", "as_published", "ours", REPRODUCED),
    ("one", "ours", "corrected", "ours", NOT_REPRODUCED),
    ("two", "faces", "as_published", "paper", NOT_TESTABLE),
    ("three", "check", "corrected", "ours", REPRODUCED),
]


@pytest.fixture
def claims() -> pd.DataFrame:
    return pd.DataFrame(LINES, columns=["study", "claim", "protocol", "origin", "verdict"])


def test_one_verdict_per_claim_of_a_paper_as_published_first(claims):
    assert headline_claims(claims)[["claim", "verdict"]].values.tolist() == [
        ["price", NOT_REPRODUCED], ["order", PARTLY], ["faces", NOT_TESTABLE],
    ]  # fmt: skip
    counts = headline_counts(claims)
    assert list(counts) == ["study", REPRODUCED, PARTLY, NOT_REPRODUCED, NOT_TESTABLE, "claims"]
    assert counts.values.tolist() == [["one", 0, 1, 1, 0, 2], ["two", 0, 0, 0, 1, 1], ["three", 0, 0, 0, 0, 0]]


def test_our_findings_never_move_a_headline(claims):
    before = headline_counts(claims)
    more = claims.assign(verdict=claims.verdict.where(claims.origin != "ours", REPRODUCED))
    assert headline_counts(more).equals(before)


def test_the_table_keeps_whose_claims_they_are_apart(claims):
    table = counts_by_origin(claims)
    lines = {(row.study, row.origin): row.claims for row in table.itertuples()}
    papers, ours = "claims and theorems of the papers", "our findings"
    assert lines == {
        ("one", papers): 2, ("one", "claims of packages"): 1, ("one", ours): 1, ("two", papers): 1,
        ("three", ours): 1, ("all", papers): 3, ("all", "claims of packages"): 1, ("all", ours): 2,
    }  # fmt: skip


def test_the_figure_has_a_bar_per_study_and_says_what_was_found(claims, tmp_path):
    with figures.style():
        figure, drawn = figure_claims_by_study.draw(claims, ["two", "one", "three"])
        figures.save(figure, drawn, tmp_path / "claims_by_study")
    (axes,) = figure.axes
    assert [label.get_text() for label in axes.get_yticklabels()] == ["two", "one", "three"]
    assert axes.get_title(loc="left") == "0 of 2 testable claims of the papers hold, 1 more in part"
    assert parquet.read(tmp_path / "claims_by_study.parquet").claims.sum() == 3
    assert sum(patch.get_width() for patch in axes.patches) == 3
