import numpy as np
import pandas as pd
import pytest

from scripts.common import parquet
from scripts.common.errors import UserError
from scripts.common.metrics import FAIRNESS, RATES, count_table, signed
from scripts.common.schemas.metrics import METRICS
from scripts.common.schemas.predictions import PREDICTIONS, write_predictions
from scripts.tradeoffs.attack_table import NO_ATTACK, PUBLISHED, WORST, attack_names, under
from scripts.tradeoffs.frontier import frontier_points
from scripts.tradeoffs.tradeoffs_constants import constants
from scripts.tradeoffs.tradeoffs_measure import clean_metrics, measure, robust_metrics

ATTACKS = ("apgd", "fab", "square", PUBLISHED)
IDENTITY = {"method": "plain", "protocol": "corrected", "run": "r", "seed": 1}


def attacks_of_eight():
    """Eight images; four stand against everything at eps 0.01, one attack breaks one image each."""
    frame = pd.DataFrame(
        {
            "run": "r",
            "row_id": np.arange(1, 9),
            "split": "test",
            "norm": "linf",
            "eps": 0.01,
            "y_true": np.array([1, 1, 0, 0, 1, 0, 1, 0], dtype=np.int8),
            "male": np.array([1, 1, 1, 1, 0, 0, 0, 0], dtype=np.int8),
            "clean_correct": [True, True, True, False, True, True, True, True],
            "apgd": pd.array([True, False, False, None, False, False, False, False], dtype="boolean"),
            "fab": pd.array([None, True, False, None, False, False, False, False], dtype="boolean"),
            "square": pd.array([None, None, False, None, True, False, False, False], dtype="boolean"),
            "robust": [False, False, True, False, False, True, True, True],
            "published_broken": pd.array([True, False, False, None, False, False, False, False], dtype="boolean"),
        }
    )
    other = frame.assign(norm="l2", eps=1.0, published_broken=pd.array([None] * 8, dtype="boolean"))
    return pd.concat([frame, other], ignore_index=True)


def predictions(n=300, seed=0):
    random = np.random.default_rng(seed)
    score = random.normal(size=n).astype(np.float32)
    frame = pd.DataFrame(
        {
            "run": "r",
            "row_id": np.arange(n) + 1,
            "split": np.where(np.arange(n) < 100, "valid", "test"),
            "y_true": random.integers(2, size=n).astype(np.int8),
            "y_pred": (score > 0).astype(np.int8),
            "score": score,
            "male": random.integers(2, size=n).astype(np.int8),
        }
    )
    return frame


def values(table, split="test"):
    rows = table[table["split"] == split]
    return {(row.metric, row.condition, row.subgroup): row.value for row in rows.itertuples()}


def test_robust_accuracy_of_a_small_case():
    value = values(robust_metrics(attacks_of_eight(), 50, seed=0))
    worst = "attack=ensemble, eps=0.01, norm=linf"
    assert under("linf_0.01") == worst
    after = {attack: value["robust_accuracy", under("linf_0.01", attack), "all"] for attack in ATTACKS}
    assert [value["robust_accuracy", worst, who] for who in ("all", "men", "women")] == [4 / 8, 1 / 4, 3 / 4]
    assert value[signed("robust_accuracy"), worst, "all"] == -2 / 4
    assert after == {"apgd": 6 / 8, "fab": 5 / 8, "square": 4 / 8, PUBLISHED: 6 / 8}  # standing after each attack
    assert value["robust_accuracy", under("linf_0.01", "square"), "women"] == 3 / 4
    assert value["accuracy", under("linf_0.01", NO_ATTACK), "men"] == 3 / 4
    # under attack both deserving men are rejected, and one of two deserving women
    assert [value["robust_false_negative_rate", worst, who] for who in ("men", "women")] == [1.0, 0.5]
    assert [value["robust_false_positive_rate", worst, who] for who in ("men", "women")] == [0.5, 0.0]
    conditions = {condition for _, condition, _ in value}
    assert under("l2_1") in conditions and under("l2_1", PUBLISHED) not in conditions  # was not run there


def test_a_further_attack_is_measured_by_itself():
    attacks = attacks_of_eight()
    attacks["patience"] = pd.array([None, None, True, None, None, False, False, False] * 2, dtype="boolean")
    attacks.loc[[2, 10], "robust"] = False
    assert attack_names(attacks) == ["apgd", "fab", "square", "patience"]
    value = values(robust_metrics(attacks, 50, seed=0))
    standing = [value["robust_accuracy", under("linf_0.01", attack), "all"] for attack in ("patience", WORST)]
    assert standing == [3 / 8, 3 / 8]


def test_columns_that_contradict_each_other_fail_loudly():
    attacks = attacks_of_eight()
    with pytest.raises(ValueError, match=r"linf_0.01: 1 images are robust in one column"):
        robust_metrics(attacks.assign(robust=attacks["robust"].where(attacks.index != 0, True)), 10, 0)
    attacks.loc[5, "published_broken"] = None
    with pytest.raises(ValueError, match="lacks a verdict on 1"):
        robust_metrics(attacks, 10, 0)


def test_clean_metrics_of_each_split():
    frame = predictions()
    table = clean_metrics(frame, 100, seed=0)
    for split in ("valid", "test"):
        rows = frame[frame["split"] == split]
        counts = count_table(rows["y_true"], rows["y_pred"], rows["male"])
        value = values(table, split)
        assert len(value) == 8 * 4 + 2
        for metric in ("accuracy", "false_negative_rate", "positive_predictive_value", "prevalence"):
            assert value[metric, "", "all"] == pytest.approx(RATES[metric](counts.sum(0)))
            change = RATES[metric](counts[1]) - RATES[metric](counts[0])
            assert value[signed(metric), "", "all"] == pytest.approx(change)
        for metric in ("demographic_parity_difference", "equal_opportunity_difference"):
            assert value[metric, "", "all"] == pytest.approx(FAIRNESS[metric](counts))
    assert (table["ci_low"] <= table["value"]).all() and (table["value"] <= table["ci_high"]).all()


@pytest.fixture
def files(tmp_path):
    frame, attacks = predictions(), attacks_of_eight()
    write_predictions(frame, tmp_path / "predictions.parquet", ["male"])
    parquet.write(attacks, tmp_path / "attacks.parquet")
    return tmp_path


def run_measure(folder, output, prefix="", **identity):
    measure(
        [folder / f"{prefix}predictions.parquet"],
        [folder / f"{prefix}attacks.parquet"],
        folder / output,
        "tradeoffs",
        "rendered faces",
        [IDENTITY | identity],
        replicates=100,
    )
    return parquet.read(folder / output, METRICS)


def test_measure_writes_the_schema_and_the_same_bytes_twice(files):
    table = run_measure(files, "a.parquet")
    run_measure(files, "b.parquet")
    assert (files / "a.parquet").read_bytes() == (files / "b.parquet").read_bytes()
    assert list(table.columns) == METRICS.names
    assert not table.duplicated(["split", "attribute", "subgroup", "metric", "condition"]).any()
    row = table[
        (table["condition"] == under("linf_0.01"))
        & (table["metric"] == "robust_accuracy")
        & (table["subgroup"] == "men")
    ].iloc[0]
    assert (row["study"], row["dataset"], row["method"], row["n"]) == ("tradeoffs", "rendered faces", "plain", 4)


@pytest.mark.parametrize("accept", [False, True])
def test_constants_are_measured_like_models(files, accept):
    outputs = files / "constant.predictions.parquet", files / "constant.attacks.parquet"
    constants(files / "predictions.parquet", files / "attacks.parquet", *outputs, "corrected.constant", accept)
    table = run_measure(files, "c.parquet", prefix="constant.", run="corrected.constant")
    value = values(table)
    prevalence = value["prevalence", "", "all"]
    assert value["zero_one_loss", "", "all"] == pytest.approx(1 - prevalence if accept else prevalence)
    rates = [value[f"false_{side}_rate", "", "men"] for side in ("negative", "positive")]
    assert rates == ([0, 1] if accept else [1, 0])
    assert value[signed("false_negative_rate"), "", "all"] == 0 and value["selection_rate", "", "women"] == accept
    # nothing breaks it: robust = clean accuracy on the attacked images, four of eight of which deserve yes
    for threat in ("linf_0.01", "l2_1"):
        assert value["accuracy", under(threat, NO_ATTACK), "all"] == 0.5
        for attack in (WORST, "square"):
            assert value["robust_accuracy", under(threat, attack), "all"] == 0.5
    assert value["robust_accuracy", under("linf_0.01", PUBLISHED), "all"] == 0.5
    assert ("robust_accuracy", under("l2_1", PUBLISHED), "all") not in value
    written = parquet.read(outputs[0], PREDICTIONS)
    assert (written["score"] == (1 if accept else -1)).all() and (written["y_pred"] == accept).all()
    assert written["row_id"].tolist() == predictions()["row_id"].tolist()
    front = frontier_points(written, "corrected", "constant", 50, 0)  # it has a frontier like any model
    assert front["gap_chosen"].min() == 0


def test_bad_files_are_one_clear_line(files):
    with pytest.raises(UserError, match="no such file"):
        run_measure(files, "x.parquet", prefix="absent.")
    parquet.write(predictions().assign(male=-1), files / "bad.predictions.parquet", PREDICTIONS)
    (files / "bad.attacks.parquet").write_bytes((files / "attacks.parquet").read_bytes())
    with pytest.raises(UserError, match="group 0 must hold whole numbers from 0 to 1, found -1"):
        run_measure(files, "x.parquet", prefix="bad.")
    (files / "bad.predictions.parquet").write_text("<html>", encoding="utf-8")
    with pytest.raises(UserError, match="damaged or no Parquet file"):
        run_measure(files, "x.parquet", prefix="bad.")
    assert not (files / "x.parquet").exists()
