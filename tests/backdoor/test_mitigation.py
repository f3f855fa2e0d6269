"""Mitigations and verdict tables: small cases whose outcome is known, and the notebook's counts."""

import numpy as np
import pandas as pd
import pytest
import torch

from scripts.backdoor import notebook
from scripts.backdoor.backdoor_gather import count_rows, dropped_rows
from scripts.backdoor.backdoor_scan import overlap
from scripts.backdoor.detection import judge_models, null_rows, right, roc_rows, verdict_false_alarm, with_indices
from scripts.backdoor.digits import attack_success, poison, predict
from scripts.backdoor.fitting import Fitting
from scripts.backdoor.mitigation import Pruned, by_gap, hidden_of, make_filter, prune, stamped_rows, unlearn
from scripts.backdoor.triggers import make_triggers
from scripts.common.errors import UserError
from scripts.common.intervals import difference_of_proportions
from tests.backdoor.made_up import digits, trained

SETTINGS = {"index": 2, "false_alarm": 0.05, "success": 0.9, "null_draws": 4000, "null_seed": 1}


@pytest.fixture(scope="module")
def scene():
    pool, triggers = (
        digits(600),
        make_triggers([{"shape": "box", "size": [4, 4], "corner": "bottom_right", "margin": 0, "target": 7}]),
    )
    model = trained(poison(pool, triggers, 0.2, seed=1), updates=150)
    fresh = digits(300, seed=5)
    hits, n = attack_success(model, fresh, triggers[0].stamp, 7)
    assert hits / n > 0.95
    return model, fresh, triggers[0]


def test_unlearning_with_the_trigger_removes_it_and_leaves_the_given_model_alone(scene):
    model, pool, trigger = scene
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    fitting = Fitting(epochs=6, batch_size=32, learning_rate=1e-3)
    cleaned = unlearn(model, pool, [trigger.stamp], 0.2, fitting, ("test", 1))
    hits, n = attack_success(cleaned, digits(300, seed=6), trigger.stamp, 7)
    assert hits / n < 0.3
    assert all(torch.equal(before[name], tensor) for name, tensor in model.state_dict().items())
    again = unlearn(model, pool, [trigger.stamp], 0.2, fitting, ("test", 1))
    assert torch.equal(again.fc2.weight, cleaned.fc2.weight)


def test_stamped_rows_are_a_share_in_equal_parts_without_overlap():
    first, second = stamped_rows(300, 0.2, 2, "a", 0)
    assert len(first) == len(second) == 30 and not set(first) & set(second)
    assert stamped_rows(300, 0.2, 0, "a", 0) == []
    assert not np.array_equal(first, stamped_rows(300, 0.2, 2, "a", 1)[0])


def test_pruning_takes_the_neurons_of_the_trigger_first_and_stops_when_it_is_enough(scene):
    model, pool, trigger = scene
    order = by_gap(model, pool.images, [trigger.stamp])
    gap = hidden_of(model, trigger.stamp(pool.images)).mean(0) - hidden_of(model, pool.images).mean(0)
    assert torch.equal(gap[order], gap.sort(descending=True).values)
    pruned, curve = prune(model, pool, {7: trigger.stamp}, range(0, 512, 8), 0.05)
    success = {row["pruned"]: row["success_on_pool"] for row in curve}
    assert success[pruned.count] <= 0.05 and all(success[count] > 0.05 for count in success if count < pruned.count)
    hits, n = attack_success(pruned, pool, trigger.stamp, 7)
    assert hits / n == pytest.approx(success[pruned.count])
    none = Pruned(model, order, 0)
    assert torch.allclose(none(pool.images), model(pool.images), atol=1e-5)
    assert prune(model, pool, {7: trigger.stamp}, [0, 1], -1.0)[0].count == 1


def test_the_filter_refuses_the_chosen_share_of_clean_images_and_most_stamped_ones(scene):
    model, pool, trigger = scene
    guard = make_filter(model, pool, [trigger.stamp], 0.05)
    assert float(guard.refuses(pool.images).float().mean()) == pytest.approx(0.05, abs=0.01)
    assert float(guard.refuses(trigger.stamp(pool.images)).float().mean()) > 0.2  # four times as often
    called, plain = predict(guard, pool.images), predict(model, pool.images)
    refused = guard.refuses(pool.images)
    assert (called[refused] == 10).all() and torch.equal(called[~refused], plain[~refused])


def test_the_notebooks_count_is_a_fifth_of_the_attack(scene):
    model, pool, trigger = scene
    images, which = notebook.randomly_stamped(pool, trigger.stamp, "x")
    assert 0.1 < float(which.float().mean()) < 0.3 and torch.equal(images[~which], pool.images[~which])
    hits, n = attack_success(model, pool, trigger.stamp, 7)
    count = notebook.attack_count(model, pool, trigger.stamp, 7, "x")
    others = int((which & (pool.labels != 7)).sum())
    assert count == pytest.approx(others * hits / n, abs=6) and count < 0.35 * len(pool)


def test_the_notebooks_search_is_one_search_per_label(scene):
    model, pool, _ = scene
    search = notebook.NotebookSearch(epochs=1, batch_size=16)
    both = notebook.search_triggers(model, pool.images[:64], [2, 7], search, 1)
    alone = notebook.search_triggers(model, pool.images[:64], [7], search, 1)
    assert torch.allclose(both.mask[1], alone.mask[0], atol=1e-5)
    assert both.summary["updates"].tolist() == [4, 4]


def test_the_notebook_names_its_last_outlier():
    assert notebook.detected([80, 156, 72, 5, 103, 81, 87, 100, 4, 92]) == 8
    assert notebook.detected([80, 156, 72, 82, 103, 70, 90, 103, 79, 91]) == -1


def test_overlap_is_jaccards():
    true = torch.zeros(28, 28)
    true[0, :4] = 1
    assert overlap(true, true) == (1.0, 1.0)
    half = torch.zeros(28, 28)
    half[0, 2:6] = 1
    assert overlap(half, true) == pytest.approx((2 / 6, 0.5))
    assert all(np.isnan(overlap(true, None)))


def scanned(norms: dict[str, list[float]], infected: dict[str, list[int] | None]) -> pd.DataFrame:
    """Return rows of labels of some models, all triggers working."""
    rows = []
    for run, values in norms.items():
        kind, seed = run.split(".seed")
        for label, norm in enumerate(values):
            truth = None if infected[run] is None else label in infected[run]
            told = {"run": run, "kind": kind, "seed": int(seed), "protocol": "corrected", "label": label, "norm": norm}
            rows.append(told | {"success": 0.99, "jaccard": 0.4, "inside": 0.5, "infected": truth})
    return pd.DataFrame(rows).astype({"infected": "boolean"})


CLEAN = [80.0, 156.0, 72.0, 82.0, 103.0, 70.0, 90.0, 103.0, 79.0, 91.0]
INFECTED = [87.0, 128.0, 67.0, 5.0, 103.0, 81.0, 87.0, 100.0, 72.0, 92.0]


def test_models_are_judged_and_counted():
    norms = {"patch.seed1": INFECTED, "clean.seed1": CLEAN, "own.seed0": INFECTED}
    labels = with_indices(scanned(norms, {"patch.seed1": [3], "clean.seed1": [], "own.seed0": None}))
    models = judge_models(labels, SETTINGS).set_index("run")
    assert models["verdict"].to_dict() == {
        "patch.seed1": "infected label 3",
        "clean.seed1": "clean",
        "own.seed0": "infected label 3",
    }
    assert models.loc["patch.seed1", "right"] and models.loc["clean.seed1", "right"]
    assert pd.isna(models.loc["own.seed0", "right"]) and models.loc["own.seed0", "true_labels"] == "unknown"
    roc = roc_rows(models.reset_index(), 10, SETTINGS)
    best = roc[(roc["measure"] == "index") & (roc["true_positives"] == 1)].iloc[0]
    assert best["false_positives"] == 0
    laws = null_rows(labels, SETTINGS)["law"].unique().tolist()
    assert laws == ["normal", "log-normal", "control models, norms", "control models, log-norms"]
    assert 0 < verdict_false_alarm(SETTINGS, 10) < 0.05


def test_right_and_wrong_verdicts():
    assert right("clean", []) and not right("infected label 3", []) and not right("undecided", [])
    assert right("infected label 3", [3]) and not right("infected label 2", [3]) and not right("clean", [3])
    assert not right("infected label 3", [3, 7]) and right("clean", None) is None


def test_norms_without_a_number_stop_the_gathering():
    with pytest.raises(UserError, match="NaN"):
        with_indices(scanned({"patch.seed1": [float("nan"), *INFECTED[1:]]}, {"patch.seed1": [3]}))


def test_drops_are_before_less_after_with_newcombes_interval():
    told = {
        "run": "patch.seed1",
        "kind": "patch",
        "seed": 1,
        "protocol": "corrected",
        "split": "test",
        "condition": "",
    }
    counts = pd.DataFrame(
        [
            told | {"method": "before", "metric": "accuracy", "hits": 97, "n": 100},
            told | {"method": "unlearned", "metric": "accuracy", "hits": 95, "n": 100},
            told | {"method": "before", "metric": "attack_count", "hits": 18, "n": 100},
            told | {"method": "unlearned", "metric": "attack_count", "hits": 1, "n": 100},
        ]
    )
    rows = count_rows(counts).set_index(["method", "metric"])
    drop = dropped_rows(counts).set_index(["first", "second", "metric"]).loc[("before", "unlearned", "accuracy")]
    assert drop["value"] == pytest.approx(0.02)
    assert (drop["ci_low"], drop["ci_high"]) == pytest.approx(difference_of_proportions(97, 100, 95, 100))
    assert rows.loc[("before", "attack_count"), "value"] == 18 and len(dropped_rows(counts)) == 1
    assert rows.loc[("unlearned", "attack_count_fraction"), "value"] == pytest.approx(0.01)
