"""The whole study on a small made-up table: fitted, measured, drawn."""

import numpy as np
import pandas as pd
import pytest

from scripts.claims.claims_file import read_claims
from scripts.claims.measures import measure
from scripts.common import parquet
from scripts.common.errors import UserError
from scripts.common.interval_kinds import JOINED, RESAMPLED_T
from scripts.common.intervals import paired_difference
from scripts.common.metrics import RATES
from scripts.common.schemas.comparisons import COMPARISONS
from scripts.common.schemas.metrics import METRICS
from scripts.common.schemas.predictions import PREDICTIONS
from scripts.income.fairlearn_arms import threshold_probabilities
from scripts.income.figures import draw_all
from scripts.income.income_fit import fit_cell, write_cell
from scripts.income.income_measure import check_predictions, measure_all, ratio_difference
from scripts.income.measures import PARITY, RATIO
from scripts.income.model import draw, fit, scores
from scripts.income.names import ARMS, BASE, GRADIENT, LABELS, MASSAGING, THRESHOLDS
from scripts.income.tables import write_tables
from tests.common.test_config import ROOT
from tests.income.made_up import ENTRY, made_up
from tests.income.made_up import GRADIENT as BUDGET

SEEDS = {"seeds": [1, 2], "shares": [0, 0.5, 1], "gradient": BUDGET}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The study's files on the made-up table: two seeds."""
    place = tmp_path_factory.mktemp("income")
    parquet.write(made_up(), place / "table.parquet")
    names = [place / f"{name}.parquet" for name in ("predictions", "swap_counts", "altered")]
    write_cell(str(place / "table.parquet"), ENTRY, "adult_all.sex", *names, **SEEDS)
    outputs = {name: place / f"{name}.parquet" for name in ("metrics", "comparisons", "findings", "summary", "swaps")}
    measure_all([names[0]], [names[1]], [names[2]], 100, outputs)
    return place


def single(folder):
    """Return the differences of single seeds."""
    frame = parquet.read(folder / "comparisons.parquet", COMPARISONS)
    assert (frame.second == BASE).all()
    return frame[frame.paired_by != "splits"]


def test_every_arm_has_predictions_that_an_audit_can_read(folder):
    frame = parquet.read(folder / "predictions.parquet", PREDICTIONS)
    assert not frame.duplicated(["run", "split", "row_id"]).any()
    assert frame.sex.dtype == frame.race.dtype == np.int8
    for protocol, arms in ARMS.items():
        assert set(frame.method[frame.protocol == protocol]) == set(arms)
    assert frame.run.nunique() == 2 * sum(map(len, ARMS.values()))
    told = made_up().set_index("row_id")
    ours = frame[frame.protocol == "corrected"]  # its labels are the people's own
    assert np.array_equal(ours.y_true, told.y[ours.row_id])
    assert np.array_equal(ours.sex, (told.sex[ours.row_id] == "Male"))
    sure = frame[~frame.method.isin([THRESHOLDS, GRADIENT])]
    assert np.array_equal(sure.y_pred, sure.score > 0)


def test_parts_of_a_run_share_no_row(folder):
    frame = parquet.read(folder / "predictions.parquet")
    own = frame[frame.run == "adult_all.sex.corrected.base.seed1"]
    parts = {name: set(rows.row_id) for name, rows in own.groupby("split")}
    assert set(parts) == {"valid", "test"} and not parts["valid"] & parts["test"]


def test_the_metrics_and_differences_are_of_the_files(folder):
    metrics = parquet.read(folder / "metrics.parquet", METRICS)
    compared = single(folder)
    frame = parquet.read(folder / "predictions.parquet")

    def accuracy(arm):
        own = frame[(frame.run == f"adult_all.sex.corrected.{arm}.seed2") & (frame.split == "test")]
        return (own.y_true == own.y_pred).mean()

    row = metrics[(metrics.run == "adult_all.sex.corrected.massaging.seed2") & (metrics.metric == "accuracy")]
    assert row[row.subgroup == "all"].value.item() == pytest.approx(accuracy("massaging"))
    row = compared[(compared.run == "adult_all.sex.corrected.massaging.seed2") & (compared.metric == "accuracy")]
    assert row[row.subgroup == "all"].value.item() == pytest.approx(accuracy("massaging") - accuracy("base"))
    labels = metrics[(metrics.method == LABELS) & (metrics.metric == "accuracy") & (metrics.subgroup == "all")]
    assert (labels.value == 1).all()


def test_parity_differs_on_the_same_people_by_exactly_the_difference_of_the_metrics(folder):
    metrics, compared = parquet.read(folder / "metrics.parquet", METRICS), single(folder)
    every = metrics[metrics.subgroup == "all"].set_index(["protocol", "method", "seed", "metric"]).value
    own = compared[(compared.subgroup == "all") & compared.metric.isin(["accuracy", PARITY, RATIO])]
    assert not own.duplicated(["protocol", "first", "seed", "metric"]).any()
    arms = {(protocol, arm) for protocol, arms in ARMS.items() for arm in arms if arm != BASE}
    assert set(zip(own.protocol, own["first"], strict=True)) == arms and len(own) == 2 * 3 * len(arms)
    for _, row in own.iterrows():
        base = every.loc[(row.protocol, BASE, row.seed, row.metric)]
        assert row.value == every.loc[(row.protocol, row["first"], row.seed, row.metric)] - base


def test_every_run_says_its_parity_with_an_interval(folder):
    metrics = parquet.read(folder / "metrics.parquet", METRICS)
    own = metrics[metrics.metric == "demographic_parity_difference"].set_index("run")
    assert set(own.index) == set(metrics.run) and own.index.is_unique and (own.attribute == "sex").all()
    assert own.interval.notna().all() and (own.ci_low <= own.ci_high).all()
    signed = metrics[(metrics.metric == PARITY)].set_index("run")
    assert np.array_equal(own.value, signed.value.abs()[own.index])


def test_means_over_the_seeds_are_of_pairs_on_the_same_people(folder):
    frame = parquet.read(folder / "comparisons.parquet", COMPARISONS)
    means = frame[frame.paired_by == "splits"]
    assert (means.interval == RESAMPLED_T).all() and (means.seeds == 2).all() and means.seed.isna().all()
    published = means[means.protocol == "as_published"]
    assert not set(published["first"]) & {MASSAGING, BASE}  # judged on other people: not paired by the split
    keys = ["protocol", "first", "metric", "attribute", "subgroup"]
    by_hand = frame[frame.paired_by == "rows"].groupby(keys).value.mean()
    assert means.set_index(keys).value.to_dict() == pytest.approx(by_hand.to_dict(), nan_ok=True)


def test_the_paired_intervals_of_parity_are_those_of_resampled_people():
    random, n = np.random.default_rng(0), 400
    group, y_true = random.integers(0, 2, (2, n))
    base = np.where(random.random(n) < 0.7, y_true, group)
    ours = np.where(random.random(n) < 0.85, base, 1 - base)
    names, told = {"men": 1, "women": 0}, {"seed": 1, "attribute": "sex"}
    rates = paired_difference(
        y_true, ours, base, group, names, 4000, rates={"selection_rate": RATES["selection_rate"]}, **told
    )
    found = pd.concat([rates, ratio_difference(y_true, ours, base, group, 4000, **told)]).set_index(
        ["metric", "subgroup"]
    )

    def rates(said, rows):
        return [said[rows][group[rows] == code].mean() for code in (0, 1)]

    def change(rows):
        (zero, one), (base_zero, base_one) = rates(ours, rows), rates(base, rows)
        return (one - zero) - (base_one - base_zero), zero / one - base_zero / base_one

    draws = [change(random.integers(n, size=n)) for _ in range(2000)]
    for place, metric in enumerate((PARITY, RATIO)):
        row = found.loc[(metric, "all")]
        assert row.value == pytest.approx(change(np.arange(n))[place], abs=1e-12) and row.n == n
        oracle = np.quantile([own[place] for own in draws], [0.025, 0.975])
        assert row[["ci_low", "ci_high"]].tolist() == pytest.approx(oracle.tolist(), abs=0.02)


def test_models_judged_on_other_people_are_not_paired(folder):
    metrics, compared = parquet.read(folder / "metrics.parquet", METRICS), single(folder)
    every = metrics[(metrics.subgroup == "all") & (metrics.protocol == "as_published") & (metrics.seed == 1)]
    ours, base = (every[(every.method == arm) & (every.metric == "accuracy")].iloc[0] for arm in (MASSAGING, BASE))
    own = compared[(compared.run == "adult_all.sex.as_published.massaging.seed1") & (compared.metric == "accuracy")]
    assert (own.paired_by.item(), own.interval.item()) == ("none", JOINED)
    assert own.ci_low.item() == pytest.approx(
        own.value.item() - np.hypot(ours.value - ours.ci_low, base.ci_high - base.value)
    )
    assert own.n.item() == min(ours.n, base.n)


def test_the_papers_claims_of_a_change_name_what_is_measured(folder):
    compared = parquet.read(folder / "comparisons.parquet", COMPARISONS).assign(dataset="Adult")
    claims = [claim for claim in read_claims(ROOT / "scripts/income/claims.yaml") if claim["origin"] == "paper"]
    for claim in claims:
        assert claim["measure"]["file"] == "comparisons" and "minus" not in claim["measure"]
        for protocol in ("as_published", "corrected"):
            ours = measure(compared, claim["measure"], protocol, "")
            assert ours.seeds == 2 and ours.interval == "sampling error and seeds (Student's t)"


def test_as_published_the_model_tells_the_sexes_apart(folder):
    metrics = parquet.read(folder / "metrics.parquet")
    own = metrics[(metrics.protocol == "as_published") & (metrics.method == MASSAGING) & (metrics.subgroup == "all")]
    for metric, value in {"accuracy": 1, PARITY: 1, RATIO: 0}.items():
        assert own.value[own.metric == metric].tolist() == [value, value]
    facts = parquet.read(folder / "findings.parquet")
    facts = facts[(facts.split == "train") & (facts.method == MASSAGING)].set_index("metric").value
    assert (facts["labels_changed"] == 0).all() and (facts["swaps_meant"] > 0).all()


def test_no_swaps_are_the_base_model_and_all_are_massaging(folder):
    swaps = parquet.read(folder / "swaps.parquet")
    summary = parquet.read(folder / "summary.parquet")
    summary = summary[(summary.protocol == "corrected") & (summary.subgroup == "all")]
    for share, arm in ((0, BASE), (1, MASSAGING)):
        for metric in ("accuracy", PARITY):
            ours = swaps[(swaps.share == share) & (swaps.metric == metric)].value.item()
            assert ours == pytest.approx(summary[(summary.method == arm) & (summary.metric == metric)].value.item())


def test_a_second_run_and_two_jobs_give_the_same(folder):
    jobs = [fit_cell(made_up(), ENTRY, "adult_all.sex", **(SEEDS | {"seeds": [seed]})) for seed in SEEDS["seeds"]]
    again = pd.concat([job.predictions for job in jobs], ignore_index=True)
    assert again.equals(parquet.read(folder / "predictions.parquet")[again.columns])


def test_figures_and_tables_are_made_of_the_released_files_alone(folder, tmp_path):
    draw_all(folder / "summary.parquet", folder / "swaps.parquet", tmp_path)
    write_tables(folder / "summary.parquet", folder / "comparisons.parquet", tmp_path)
    for name in ("before_after", "accuracy_parity", "swaps"):
        assert all((tmp_path / f"{name}.{kind}").stat().st_size > 1000 for kind in ("png", "pdf", "parquet"))
    table = pd.read_csv(tmp_path / "arms.csv")
    assert len(table) == 2 + sum(map(len, ARMS.values()))
    assert (table["calibration error"][table.arm == THRESHOLDS] == "–").all()


BAD = {
    "no attribute": (lambda frame: frame.drop(columns="sex"), "column sex is missing"),
    "an attribute with one value": (lambda frame: frame.assign(sex=1), "sex has the one value 1"),
    "an unknown group": (lambda frame: frame.assign(sex=2), "sex holds 2, expected 0 or 1"),
    "an unknown label": (lambda frame: frame.assign(y_true=-1), "y_true holds -1"),
    "a score that is no number": (lambda frame: frame.assign(score=np.nan), "scores are no numbers"),
    "a row twice": (lambda frame: pd.concat([frame, frame.head(1)]), "occurs twice in the valid part"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_predictions_file_is_named_in_one_line(case, folder):
    change, words = BAD[case]
    with pytest.raises(UserError) as error:
        frame = parquet.read(folder / "predictions.parquet")
        check_predictions(change(frame[frame.protocol == "corrected"]), "sex", "p.parquet")
    assert words in str(error.value) and "\n" not in str(error.value)


def test_a_part_without_a_group_is_named():
    few = made_up(400)
    few = pd.concat([few[few.sex == "Male"], few[few.sex == "Female"].sort_values("y").iloc[[0, -1]]])
    with pytest.raises(UserError, match="part of seed 1 lacks a group or label; take more rows"):
        fit_cell(few.reset_index(drop=True), ENTRY, "adult_all.sex", **SEEDS)


def test_thresholds_equalise_acceptance_where_they_were_chosen():
    random = np.random.default_rng(0)
    group, x = random.integers(0, 2, 3000), random.normal(size=(3000, 2)).astype(np.float32)
    y = (x[:, 0] + group + random.normal(size=3000) > 0.5).astype(int)
    x = np.column_stack([x, group]).astype(np.float32)
    model = fit(x[:1000], y[:1000])
    before = (scores(model, x[1000:]) > 0).astype(int)
    accept = threshold_probabilities(model, (x[1000:], y[1000:], group[1000:]), x[1000:], group[1000:])
    gaps = [abs(said[group[1000:] == 1].mean() - said[group[1000:] == 0].mean()) for said in (before, accept)]
    assert gaps[0] > 0.2 and gaps[1] < 0.01


def test_a_random_decision_is_as_likely_as_it_says():
    assert draw(np.full(20000, 0.3), 1).mean() == pytest.approx(0.3, abs=0.01)
    assert draw(np.array([0.0, 1.0]), 1).tolist() == [0, 1]
