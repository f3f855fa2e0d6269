"""The study's block of the config: every mistake is one line, and an edit reruns only what depends on it."""

import copy
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml

from scripts.backdoor.plan import OWN, Plan
from scripts.common.config import in_order, validate
from scripts.common.errors import UserError
from scripts.data.mnist import make
from scripts.data.plan import mnist_folder
from scripts.data.sources import SOURCES

ROOT = Path(__file__).parents[2]
CONFIG = yaml.safe_load((ROOT / "config.yaml").read_text(encoding="utf-8"))
MIRROR = Path(__file__).parents[3] / "shared" / "data" / "mnist"


def changed(*path_and_value) -> dict:
    """Return the config with one value of the block changed."""
    config = copy.deepcopy(CONFIG)
    *path, last, value = path_and_value
    place = config["backdoor"]
    for key in path:
        place = place[key]
    place[last] = value
    return config


PATCH = CONFIG["backdoor"]["models"]["patch"]["triggers"][0]
WRONG = {
    "unknown shape": (("models", "patch", "triggers", [PATCH | {"shape": "star"}]), "'star' is not one of"),
    "target 10": (("models", "patch", "triggers", [PATCH | {"target": 10}]), "10 is greater than the maximum of 9"),
    "target -1": (("models", "patch", "triggers", [PATCH | {"target": -1}]), "-1 is less than the minimum of 0"),
    "unknown key": (("search", "updates", 5), "'updates' was unexpected"),
    "no pool": (("pools", "reverse", 0), "backdoor.pools.reverse"),
    "braces": (("own", "/home/me/{mine}.safetensors"), "Snakemake takes braces for a wildcard; rename"),
    "taken name": (("models", "own", CONFIG["backdoor"]["models"]["clean"]), "backdoor.models"),
    "all poisoned": (("models", "patch", "ratio", 0.9), "backdoor.models.patch.ratio"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_mistake_in_the_block_is_one_line(case):
    change, words = WRONG[case]
    with pytest.raises(UserError) as error:
        validate(changed(*change), ROOT)
    assert words in str(error.value) and "\n" not in str(error.value)


def test_kinds_without_seeds_are_left_out_and_a_model_of_the_user_joins():
    plan = Plan(changed("models", "box", "seeds", [])["backdoor"])
    assert "box" not in plan.kinds and OWN not in plan.kinds
    own = Plan(changed("own", "~/mine.safetensors")["backdoor"])
    assert own.kinds[-1] == OWN and not own.own.startswith("~")
    wildcards = SimpleNamespace(job=OWN)
    assert own.entries(wildcards) == {OWN: None} and own.weights(wildcards) == []


@pytest.mark.parametrize("most", [1, 2, 3, 5, 100])
def test_every_kind_is_in_one_job_with_no_more_models_than_asked_for(most):
    study = CONFIG["backdoor"] | {"models_per_job": most}
    plan = Plan(study)
    assert sorted(kind for kinds in plan.jobs.values() for kind in kinds) == sorted(study["models"])
    for name, kinds in plan.jobs.items():
        models = sum(len(study["models"][kind]["seeds"]) for kind in kinds)
        assert name == "+".join(kinds) and (models <= most or len(kinds) == 1)
        assert list(plan.entries(SimpleNamespace(job=name))) == kinds
    assert Plan(study | {"own": "mine.safetensors"}).jobs[OWN] == [OWN]
    assert plan.benched in plan.jobs[plan.benched_job]


def test_single_models_share_a_job_in_the_preview_so_that_both_cores_are_busy():
    jobs = Plan(in_order(CONFIG["backdoor"])).jobs  # the workflow sorts the keys of a config
    assert list(jobs) == ["box+scattered+two_labels", "clean", "patch"]


def test_a_model_of_the_user_is_an_input_of_its_own_jobs_and_of_no_others(tmp_path):
    path = tmp_path / "mine [1].safetensors"
    path.write_bytes(b"first")
    without, plan = Plan(CONFIG["backdoor"]), Plan(changed("own", str(path))["backdoor"])
    mine, patch = SimpleNamespace(job=OWN), SimpleNamespace(job="patch")
    assert plan.weights(mine) == [str(path)] and plan.own_path(mine) == str(path)
    for ask in ("weights", "own_path", "own_content", "entries", "priority"):  # naming a model scans no other again
        assert getattr(plan, ask)(patch) == getattr(without, ask)(patch)
    first = plan.own_content(mine)
    path.write_bytes(b"other")
    assert first and plan.own_content(mine) != first


def test_an_edited_mitigation_changes_nothing_that_training_and_scanning_see():
    before, after = Plan(CONFIG["backdoor"]), Plan(changed("mitigation", "epochs", 3)["backdoor"])
    assert before.training() == after.training() and before.scanning() == after.scanning()
    assert before.mitigating() != after.mitigating()


def test_a_folder_of_the_user_is_read_where_it_stands(tmp_path):
    assert mnist_folder(changed("data", {"source": "official", "folder": str(tmp_path)})) == str(tmp_path)
    files = SOURCES["mnist"]["files"]
    with pytest.raises(UserError, match=r"no such file as train-images.* packed or not"):
        make("official", tmp_path, files, tmp_path / "o.npy", tmp_path / "o.parquet")


@pytest.mark.skipif(not MIRROR.exists(), reason="no copy of the official files here")
def test_the_official_files_are_the_official_ones(tmp_path):
    import numpy as np

    from scripts.common import parquet

    make("official", MIRROR, SOURCES["mnist"]["files"], tmp_path / "o.npy", tmp_path / "o.parquet")
    index = parquet.read(tmp_path / "o.parquet")
    counts = index[index["part"] == "test"]["label"].value_counts().sort_index().tolist()
    assert counts == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009] and len(index) == 70_000
    images = np.load(tmp_path / "o.npy", mmap_mode="r")
    assert images[:60_000].mean() / 255 == pytest.approx(0.1307, abs=5e-5)
