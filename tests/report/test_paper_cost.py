"""What the paper's scale costs: the work that a config asks for, counted by hand on small cases."""

import pandas as pd
import pytest

from scripts.backdoor import cost as backdoor
from scripts.boosting import arms
from scripts.boosting import cost as boosting
from scripts.frtrain import cost as frtrain
from scripts.income import cost as income
from scripts.leakage import cost as leakage
from scripts.report import paper_cost
from scripts.tradeoffs import cost as tradeoffs
from tests.common.test_config import merged
from tests.workflow.conftest import ROOT

ROWS = {"adult": 100, "adult_all": 120, "compas": 50, "german": 10}
ROBUSTNESS = {
    "images": 10,
    "threats": [{"norm": "linf", "eps": 0.01}, {"norm": "l2", "eps": 1}],
    "attacks": [
        {"attack": "apgd", "iterations": 5, "restarts": 2},
        {"attack": "fab", "iterations": 4, "restarts": 1},
        {"attack": "square", "queries": 7},
    ],
    "published_iterations": 3,
}


def test_the_attacks_of_one_image():
    assert tradeoffs.attack_passes(ROBUSTNESS) == 2 * (2 * 5 * 2 + 3 * 4 + 7) + 2 * 3


def test_the_flops_of_two_runs():
    study = merged()["tradeoffs"]
    own = {
        "train_attack": "fgsm_random_start",
        "select": "validation",
        "arms": {"plain": {}, "adversarial": {"eps": [0.01]}},
    }
    study |= {"seeds": [1], "networks": ["small_cnn"], "protocols": {"corrected": own}, "robustness": ROBUSTNESS}
    study["training"]["epochs"] = 2
    images = {"corrected": {"train": 1000, "valid": 100, "test": 40}}
    runs, training, attacks = tradeoffs.count_flops(study, images, lambda network: 10.0)
    assert runs == 2 and training == 2 * (3 * 1000 + 100) * 10 + 2 * (4 * 1000 + 100) * 10
    assert attacks == 2 * 10 * tradeoffs.attack_passes(ROBUSTNESS) * 10


@pytest.mark.parametrize("cost", [boosting, frtrain, income, leakage])
def test_more_seeds_rows_and_models_are_more_work(cost):
    name = cost.__name__.split(".")[1]
    models, work = cost.work(merged()[name], ROWS)
    larger = cost.work(merged("config.paper.yaml")[name], ROWS)
    assert models > 10 and larger > (models, work)
    doubled = cost.work(merged()[name], {table: 2 * rows for table, rows in ROWS.items()})
    assert doubled[0] == models and work < doubled[1] <= 2 * work


def test_the_reduction_fits_once_per_iteration():
    batch = {"table": "compas", "methods": ["logistic", "logistic_egd"], "seeds": [0, 1]}
    study = {"models": {"batch": batch}, "training": {"rows": None, "epochs": 8, "iterations": 5}}
    assert leakage.work(study, ROWS) == (2 * 6, 50 * 2 * 6)


def test_trees_and_stumps_of_two_splits():
    study = merged()["boosting"] | {"seeds": [0, 1], "rounds": 10}
    study["datasets"] = [{"table": "compas", "attributes": ["sex"], "most_rows": 20}]
    study["gradient"] |= {"rounds": 5, "notions": ["DP", "EO"], "weights": [0.1]}
    study["peers"] |= {"adaboost_rounds": 3, "iterations": 2}
    assert len(arms.SINGLE) + 1 == boosting.ONE  # and AdaFair with corrected costs
    assert boosting.work(study, ROWS) == (2 * (3 + 8 + 3), 2 * 20 * (3 * 5 + 0.1 * 8 * 10 + 80 * 2 + 4 * 3))


def test_the_passes_of_two_models_with_one_trigger_and_of_a_clean_one():
    study = merged()["backdoor"]
    box = study["models"]["box"]
    study["models"] = {"box": box | {"seeds": [1, 2]}, "clean": study["models"]["clean"] | {"seeds": [1]}}
    study["pools"] |= {
        "evaluation": 1000,
        "reverse": 1000,
        "unlearning_share": 0.1,
    }  # leaves 3,000 to train, 300 to mend
    study["training"]["epochs"], study["mitigation"]["epochs"] = 2, 4
    study["search"] |= {"steps": 5, "batches_per_step": 6, "batch_size": 7}
    study["notebook"] |= {"kinds": ["clean"], "images": 50, "epochs": 3}
    models, passes = backdoor.work(study, {})
    assert models == 3
    assert passes == 3 * (3 * 2 * 3000 + 2 * 10 * 210) + 2 * 10 * 150 + 2 * 3 * (3 * 4 * 300)
    assert backdoor.work(merged("config.paper.yaml")["backdoor"], {}) > backdoor.work(merged()["backdoor"], {})


def test_a_study_without_a_cost_is_named():
    line = paper_cost.cost_of("data", {}, {}, 7200, {})
    assert line["job hours, this run"] == 2 and pd.isna(line["models"]) and "not extrapolated" in line["how"]


def test_the_forward_pass_of_the_published_network_is_counted():
    assert tradeoffs.forward_flops("published_resnet") == pytest.approx(3.68e9, rel=0.01)


def test_the_table_goes_into_its_place_of_the_page(tmp_path):
    page = tmp_path / "cluster.md"
    page.write_text("before\n<!-- begin paper-cost -->\nold\n<!-- end paper-cost -->\nafter\n", encoding="utf-8")
    paper_cost.write(pd.DataFrame({"study": ["coin"], "jobs": [3]}), tmp_path / "paper_cost", page)
    text = page.read_text(encoding="utf-8")
    assert "coin" in text and "old" not in text and text.startswith("before") and text.endswith("after\n")
    assert "<!-- begin paper-cost -->" in (ROOT / "docs/cluster.md").read_text(encoding="utf-8")
