"""Paired differences of chosen runs on the same test rows, and the claims that state them."""

import numpy as np
import pandas as pd
import pytest

from scripts.claims.claims_file import read_claims
from scripts.claims.measures import measure
from scripts.common import parquet
from scripts.common.errors import UserError
from scripts.common.interval_kinds import BOOTSTRAP
from scripts.common.schemas.comparisons import COMPARISONS
from scripts.common.schemas.metrics import METRICS
from scripts.frtrain.frtrain_compare import COMPARED, DI, PAIRS, difference, paired_runs
from tests.common.test_config import ROOT

CHOSEN = {"dataset": "synthetic", "notion": "parity", "variant": "standard", "clean_labels": "truth", "subgroup": "all"}


@pytest.fixture(scope="module")
def compared(small):
    """The differences of two runs on the same rows."""
    frame = parquet.read(small / "comparisons.parquet", COMPARISONS)
    return frame[frame["paired_by"] == "rows"]


def sides(first, second):
    """Return `first` and `second` of a pair in the file: what its sides differ in."""
    return (first[0], second[0]) if first[0] != second[0] else (first[1], second[1])


def made_up(n=300, seed=0):
    """Return two runs on the same rows, the second differing from the first on a fifth of them."""
    random = np.random.default_rng(seed)
    z, y = random.integers(0, 2, (2, n)).astype(np.int8)
    first = np.where(random.random(n) < 0.75, y, (z | y)).astype(np.int8)
    second = np.where(random.random(n) < 0.8, first, 1 - first).astype(np.int8)
    same = {"row_id": np.arange(n), "y_true": y, "z": z}
    return [pd.DataFrame(same | {"run": run, "y_pred": said}) for run, said in (("a", first), ("b", second))]


def reached(frame):
    """Return accuracy and disparate impact, row by row."""
    accepted = [frame.loc[frame["z"] == group, "y_pred"].mean() for group in (0, 1)]
    return np.array([(frame["y_true"] == frame["y_pred"]).mean(), min(accepted) / max(accepted)])


def test_the_interval_is_that_of_resampled_rows():
    first, second = made_up()
    found = difference(first, second, 4000, seed=1).set_index("metric")
    assert found["value"].to_numpy() == pytest.approx(reached(first) - reached(second), abs=1e-12)
    random = np.random.default_rng(2)
    draws = [random.integers(len(first), size=len(first)) for _ in range(2000)]
    oracle = np.quantile(
        [reached(first.iloc[own]) - reached(second.iloc[own]) for own in draws], [0.025, 0.975], axis=0
    )
    assert pytest.approx(oracle, abs=0.015) == found.loc[list(COMPARED), ["ci_low", "ci_high"]].to_numpy().T
    assert (found["n"] == len(first)).all()


def test_a_run_does_not_differ_from_itself():
    first, _ = made_up()
    assert (difference(first, first, 50, seed=0)[["value", "ci_low", "ci_high"]] == 0).all(axis=None)


def test_other_test_rows_are_named():
    first, second = made_up()
    with pytest.raises(UserError, match="a and b have other test rows"):
        difference(first, second.assign(row_id=second["row_id"] + 1), 10, seed=0)


def test_values_are_exactly_the_differences_of_the_chosen_metrics(small, compared):
    choices = parquet.read(small / "choices.parquet", METRICS)
    own = choices[(choices[list(CHOSEN)] == pd.Series(CHOSEN)).all(axis=1)]
    values = own.set_index(["protocol", "run", "metric"])["value"]
    assert len(compared) and set(compared["metric"]) == {"accuracy", DI}
    for row in compared.itertuples():
        first, second = (values.loc[(row.protocol, run, row.metric)] for run in (row.run, row.second_run))
        assert row.value == first - second


def test_every_pair_is_there_seed_by_seed(compared):
    found = compared[compared["metric"] == "accuracy"].groupby(["method", "labels", "first", "second"])
    assert set(found.groups) == {(*first, *sides(first, second)) for first, second in PAIRS}
    assert (compared["interval"] == BOOTSTRAP).all() and (compared["seeds"] == 1).all()
    rivals = compared[(compared["method"] == "FR-Train") & (compared["metric"] == "accuracy")]
    for _, own in rivals.groupby("second"):  # FC and LBC have one seed, which stands for all
        assert sorted(own.loc[own["protocol"] == "corrected", "seed"]) == [1, 2]
        assert own.loc[own["protocol"] == "as_published", "seed"].tolist() == [1]


def test_a_pair_without_one_of_its_methods_is_left_out(small):
    choices = parquet.read(small / "choices.parquet", METRICS)
    assert not (paired_runs(choices[choices["method"] != "FC"])[["method", "second"]] == "FC").any(axis=None)
    assert paired_runs(choices[choices["dataset"] != "synthetic"]).empty


def test_every_claim_on_a_difference_has_its_rows_and_agrees_with_the_chosen_metrics(small, compared):
    choices, seen = parquet.read(small / "choices.parquet", METRICS), set()
    for claim in read_claims(ROOT / "scripts/frtrain/claims.yaml"):
        assert "minus" not in claim["measure"], claim["id"]
        select = claim["measure"]["select"]
        if claim["measure"]["file"] != "comparisons" or select.get("paired_by") != "rows":
            continue
        first = (select["method"], select["labels"])
        ((_, second),) = [pair for pair in PAIRS if pair[0] == first and sides(*pair)[1] == select["second"]]
        seen.add((first, second))
        entry = {"select": CHOSEN | {"metric": "accuracy", "method": first[0], "labels": first[1]}}
        entry["minus"] = {"method": second[0], "labels": second[1]}
        for protocol in claim["protocols"]:
            ours, theirs = (measure(frame, own, protocol, "") for frame, own in ((compared, claim["measure"]),
                                                                                 (choices, entry)))  # fmt: skip
            assert (ours.value, ours.seeds, ours.n) == (theirs.value, theirs.seeds, theirs.n)
            assert "unpaired" not in ours.interval and ours.deviation == pytest.approx(theirs.deviation, nan_ok=True)
    assert seen == set(PAIRS)
