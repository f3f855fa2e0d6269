"""The whole study on a small made-up table: fitted, measured, drawn."""

import numpy as np
import pandas as pd
import pytest

from scripts.claims.claims_file import read_claims
from scripts.claims.measures import measure
from scripts.common import parquet
from scripts.common.errors import UserError
from scripts.common.schemas.metrics import METRICS
from scripts.common.schemas.predictions import PREDICTIONS
from scripts.income.fairlearn_arms import threshold_probabilities
from scripts.income.income_figures import draw_all
from scripts.income.income_fit import fit_cell, write_cell
from scripts.income.income_measure import check_predictions, measure_all, parity_differences
from scripts.income.income_tables import write_tables
from scripts.income.model import draw, fit, scores
from scripts.income.names import ARMS, BASE, GRADIENT, LABELS, MASSAGING, THRESHOLDS
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
    outputs = {name: place / f"{name}.parquet" for name in ("metrics", "findings", "summary", "swaps")}
    measure_all([names[0]], [names[1]], [names[2]], 100, outputs)
    return place


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
    findings = parquet.read(folder / "findings.parquet", METRICS)
    frame = parquet.read(folder / "predictions.parquet")

    def accuracy(arm):
        own = frame[(frame.run == f"adult_all.sex.corrected.{arm}.seed2") & (frame.split == "test")]
        return (own.y_true == own.y_pred).mean()

    row = metrics[(metrics.run == "adult_all.sex.corrected.massaging.seed2") & (metrics.metric == "accuracy")]
    assert row[row.subgroup == "all"].value.item() == pytest.approx(accuracy("massaging"))
    row = findings[(findings.run == "adult_all.sex.corrected.massaging.seed2") & (findings.metric == "accuracy")]
    assert row[row.subgroup == "all"].value.item() == pytest.approx(accuracy("massaging") - accuracy("base"))
    labels = metrics[(metrics.method == LABELS) & (metrics.metric == "accuracy") & (metrics.subgroup == "all")]
    assert (labels.value == 1).all()


def test_parity_differs_on_the_same_people_by_exactly_the_difference_of_the_metrics(folder):
    metrics, findings = (parquet.read(folder / f"{name}.parquet", METRICS) for name in ("metrics", "findings"))
    every = metrics[metrics.subgroup == "all"].set_index(["protocol", "method", "seed", "metric"]).value
    own = findings[
        (findings.subgroup == "all") & findings.metric.isin(["accuracy", "parity_difference", "disparate_impact"])
    ]
    assert not own.duplicated(["protocol", "method", "seed", "metric"]).any()
    arms = {(protocol, arm) for protocol, arms in ARMS.items() for arm in arms if arm != BASE}
    assert set(zip(own.protocol, own.method, strict=True)) == arms and len(own) == 2 * 3 * len(arms)
    for row in own.itertuples():
        base = every.loc[(row.protocol, BASE, row.seed, row.metric)]
        assert row.value == every.loc[(row.protocol, row.method, row.seed, row.metric)] - base
    signed = findings[(findings.subgroup == "difference") & (findings.metric == "acceptance_rate")]
    again = own[own.metric == "parity_difference"].merge(signed, on="run", suffixes=("", "_signed"))
    assert len(again) and np.array_equal(again.value, again.value_signed)


def test_the_paired_interval_of_disparate_impact_is_that_of_resampled_people():
    random, n = np.random.default_rng(0), 400
    group, y_true = random.integers(0, 2, (2, n))
    base = np.where(random.random(n) < 0.7, y_true, group)
    ours = np.where(random.random(n) < 0.85, base, 1 - base)
    found = parity_differences(y_true, ours, base, group, 4000, seed=1).set_index("metric")

    def rates(said, rows):
        return [said[rows][group[rows] == code].mean() for code in (0, 1)]

    def change(rows):
        (zero, one), (base_zero, base_one) = rates(ours, rows), rates(base, rows)
        return (one - zero) - (base_one - base_zero), zero / one - base_zero / base_one

    draws = [change(random.integers(n, size=n)) for _ in range(2000)]
    for place, metric in enumerate(("parity_difference", "disparate_impact")):
        row = found.loc[metric]
        assert row.value == pytest.approx(change(np.arange(n))[place], abs=1e-12) and row.n == n
        oracle = np.quantile([own[place] for own in draws], [0.025, 0.975])
        assert row[["ci_low", "ci_high"]].tolist() == pytest.approx(oracle.tolist(), abs=0.02)


def test_models_judged_on_other_people_are_not_paired(folder):
    metrics, findings = (parquet.read(folder / f"{name}.parquet", METRICS) for name in ("metrics", "findings"))
    every = metrics[(metrics.subgroup == "all") & (metrics.protocol == "as_published") & (metrics.seed == 1)]
    ours, base = (every[(every.method == arm) & (every.metric == "accuracy")].iloc[0] for arm in (MASSAGING, BASE))
    own = findings[(findings.run == "adult_all.sex.as_published.massaging.seed1") & (findings.metric == "accuracy")]
    assert own.ci_low.item() == pytest.approx(
        own.value.item() - np.hypot(ours.value - ours.ci_low, base.ci_high - base.value)
    )
    assert own.n.item() == min(ours.n, base.n)


def test_the_papers_claims_of_a_change_name_what_is_measured(folder):
    findings = parquet.read(folder / "findings.parquet", METRICS).assign(dataset="Adult")
    claims = [claim for claim in read_claims(ROOT / "scripts/income/claims.yaml") if claim["origin"] == "paper"]
    for claim in claims:
        assert claim["measure"]["file"] == "findings" and "minus" not in claim["measure"]
        for protocol in ("as_published", "corrected"):
            ours = measure(findings, claim["measure"], protocol, "")
            assert ours.seeds == 2 and ours.interval == "sampling error and seeds (Student's t)"


def test_as_published_the_model_tells_the_sexes_apart(folder):
    metrics = parquet.read(folder / "metrics.parquet")
    own = metrics[(metrics.protocol == "as_published") & (metrics.method == MASSAGING) & (metrics.subgroup == "all")]
    for metric, value in {"accuracy": 1, "parity_difference": 1, "disparate_impact": 0}.items():
        assert own.value[own.metric == metric].tolist() == [value, value]
    facts = parquet.read(folder / "findings.parquet")
    facts = facts[(facts.split == "train") & (facts.method == MASSAGING)].set_index("metric").value
    assert (facts["labels_changed"] == 0).all() and (facts["swaps_meant"] > 0).all()


def test_no_swaps_are_the_base_model_and_all_are_massaging(folder):
    swaps = parquet.read(folder / "swaps.parquet")
    summary = parquet.read(folder / "summary.parquet")
    summary = summary[(summary.protocol == "corrected") & (summary.quantity == "value") & (summary.subgroup == "all")]
    for share, arm in ((0, BASE), (1, MASSAGING)):
        for metric in ("accuracy", "parity_difference"):
            ours = swaps[(swaps.share == share) & (swaps.metric == metric)].value.item()
            assert ours == pytest.approx(summary[(summary.method == arm) & (summary.metric == metric)].value.item())


def test_a_second_run_and_two_jobs_give_the_same(folder):
    jobs = [fit_cell(made_up(), ENTRY, "adult_all.sex", **(SEEDS | {"seeds": [seed]})) for seed in SEEDS["seeds"]]
    again = pd.concat([job.predictions for job in jobs], ignore_index=True)
    assert again.equals(parquet.read(folder / "predictions.parquet")[again.columns])


def test_figures_and_tables_are_made_of_the_released_files_alone(folder, tmp_path):
    draw_all(folder / "summary.parquet", folder / "swaps.parquet", tmp_path)
    write_tables(folder / "summary.parquet", tmp_path)
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
