"""The whole study on made-up digits: from training to figures and tables, a user's model among them, twice the same."""

import copy
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import yaml
from safetensors.torch import save_file

from scripts.backdoor.backdoor_gather import gather
from scripts.backdoor.backdoor_mitigate import mitigate
from scripts.backdoor.backdoor_pools import write_pools
from scripts.backdoor.backdoor_scan import scan
from scripts.backdoor.backdoor_train import train_kinds
from scripts.backdoor.figures import draw_all
from scripts.backdoor.plan import Plan
from scripts.backdoor.tables import write_tables
from scripts.common import parquet
from scripts.common.errors import UserError
from scripts.common.schemas.comparisons import COMPARISONS
from scripts.common.schemas.metrics import METRICS
from scripts.common.studies import describe
from scripts.data.mnist import write
from tests.backdoor.made_up import digits, trained
from tests.common.test_config import merged

ROOT = Path(__file__).parents[2]
STUDY = merged("config.test.yaml")["backdoor"] | {"pools": {"seed": 1, "evaluation": 80, "reverse": 60}}
STUDY["pools"]["unlearning_share"] = 0.2
KINDS = ["patch", "clean", "own"]
RELEASED = ("metrics", "comparisons", "labels", "models", "false_alarms", "roc", "traces", "masks")


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("backdoor")
    pool = digits(500)
    images, pools = folder / "digits.npy", folder / "pools.parquet"
    write(
        (pool.images[:, 0].numpy() * 255).astype(np.uint8), pool.labels.numpy(), "train", images, folder / "i.parquet"
    )
    write_pools(folder / "i.parquet", STUDY["pools"], pools)
    save_file(trained(digits(300), updates=20).state_dict(), folder / "mine.safetensors")
    return folder, make(folder, images, pools, "first")


def make(folder: Path, images: Path, pools: Path, name: str) -> dict[str, dict[str, str]]:
    """Run all jobs on three kinds of models; return the files of each kind and what was gathered."""
    study = copy.deepcopy(STUDY) | {"own": str(folder / "mine.safetensors"), "least_success": 1e-9}
    study["models"]["patch"]["triggers"][0]["size"] = [6, 6]  # one epoch plants a large one
    plan, files = Plan(study), {}
    for kind in KINDS:
        entry = plan.trained.get(kind)
        own = {part: str(folder / f"{name}.{kind}.{part}") for part in ("labels", "traces", "counts")}
        own |= {part: str(folder / f"{name}.{kind}.{part}.safetensors") for part in ("weights", "triggers")}
        own |= {part: str(folder / f"{name}.{kind}.{part}") for part in ("settings", "curves")}
        if entry:
            checkpoints = str(folder / "checkpoints")
            train_kinds(str(images), str(pools), {kind: entry}, plan.training(), own, checkpoints, 0)
        scan(own["weights"], plan.own, str(images), str(pools), {kind: entry}, plan.scanning(), own, 0)
        given = own | {"images": str(images), "pools": str(pools)}
        mitigate(given, plan.own, {kind: entry}, plan.mitigating(), own["counts"], 0)
        files[kind] = own
    given = {part: [files[kind][part] for kind in KINDS] for part in ("labels", "traces", "counts", "triggers")}
    files["gathered"] = {part: str(folder / f"{name}.{part}.parquet") for part in RELEASED}
    gather(given, [[kind] for kind in KINDS], plan.gathering(), "made-up digits", files["gathered"])
    return files


def test_every_model_is_judged_and_every_number_has_its_place(run):
    _, files = run
    metrics = parquet.read(files["gathered"]["metrics"], METRICS)
    models = parquet.read(files["gathered"]["models"])
    assert set(models["run"]) == {"patch.seed1", "clean.seed1", "own.seed0"}
    assert models.set_index("run").loc["own.seed0", "true_labels"] == "unknown"
    assert set(metrics["dataset"]) == {"made-up digits"} and set(metrics["study"]) == {"backdoor"}
    before = metrics[(metrics["method"] == "before") & (metrics["metric"] == "accuracy")]
    assert set(before["run"]) == {"patch.seed1", "clean.seed1", "own.seed0"}
    assert not metrics[(metrics["run"] == "own.seed0") & (metrics["metric"] == "attack_success_rate")].size
    assert {"attack_count", "attack_success_rate"} <= set(metrics.loc[metrics["protocol"] == "as_published", "metric"])
    rates = metrics[metrics["metric"].isin(["accuracy", "attack_success_rate"]) & (metrics["method"] != "scan")]
    assert rates["ci_low"].notna().all() and (rates["ci_low"] <= rates["value"]).all()
    keys = ["protocol", "method", "run", "split", "metric", "condition"]
    assert not metrics.duplicated(keys).any()
    drops = parquet.read(files["gathered"]["comparisons"], COMPARISONS)
    assert set(drops["first"]) == {"before"} and (drops["ci_low"] <= drops["value"]).all()


def test_released_tables_are_those_of_the_study_and_hold_no_image_of_a_digit(run):
    _, files = run
    assert set(describe("backdoor", ROOT)["released"]) == set(RELEASED)
    for path in files["gathered"].values():
        assert "row_id" not in parquet.read(path).columns


def test_a_second_run_has_the_same_bytes(run):
    folder, files = run
    again = make(folder, folder / "digits.npy", folder / "pools.parquet", "second")
    for kind, own in files.items():
        for part, path in own.items():
            if Path(path).exists():
                assert Path(path).read_bytes() == Path(again[kind][part]).read_bytes(), (kind, part)


def test_the_order_of_jobs_changes_no_number(run, tmp_path):
    folder, files = run
    order = [*reversed(KINDS)]
    given = {part: [files[kind][part] for kind in order] for part in ("labels", "traces", "counts", "triggers")}
    outputs = {part: str(tmp_path / f"{part}.parquet") for part in RELEASED}
    study = copy.deepcopy(STUDY) | {"own": str(folder / "mine.safetensors")}
    study["models"]["patch"]["triggers"][0]["size"] = [6, 6]
    gather(given, [[kind] for kind in order], Plan(study).gathering(), "made-up digits", outputs)
    for part, path in outputs.items():
        assert Path(path).read_bytes() == Path(files["gathered"][part]).read_bytes(), part


def test_two_kinds_in_one_job_are_the_same_as_alone(run, tmp_path):
    folder, files = run
    study = copy.deepcopy(STUDY) | {"least_success": 1e-9, "models_per_job": 2}
    study["models"]["patch"]["triggers"][0]["size"] = [6, 6]
    plan, digits_and_pools = Plan(study), (str(folder / "digits.npy"), str(folder / "pools.parquet"))
    assert list(plan.jobs.values()) == [["patch", "clean"]]
    entries = plan.entries(SimpleNamespace(job="patch+clean"))
    own = {part: str(tmp_path / part) for part in ("labels", "traces", "counts", "curves", "settings")}
    own |= {part: str(tmp_path / f"{part}.safetensors") for part in ("weights", "triggers")}
    train_kinds(*digits_and_pools, entries, plan.training(), own, str(tmp_path / "checkpoints"), 0)
    scan(own["weights"], "", *digits_and_pools, entries, plan.scanning(), own, 0)
    given = own | dict(zip(("images", "pools"), digits_and_pools, strict=True))
    mitigate(given, "", entries, plan.mitigating(), own["counts"], 0)
    for part in ("labels", "traces", "counts", "curves"):
        alone = pd.concat([parquet.read(files[kind][part]) for kind in ("patch", "clean")], ignore_index=True)
        pd.testing.assert_frame_equal(parquet.read(own[part]), alone)


def test_all_figures_and_tables_are_drawn(run):
    folder, files = run
    draw_all(files["gathered"], 2, folder / "figures")
    write_tables(files["gathered"], folder / "tables")
    about = describe("backdoor", ROOT)
    for name in about["figures"]:
        assert (folder / f"figures/{name}.png").stat().st_size > 10_000
        assert len(parquet.read(folder / f"figures/{name}.parquet"))
    for name in about["tables"]:
        assert len(pd.read_csv(folder / f"tables/{name}.csv"))


def test_a_model_without_its_backdoor_leaves_nothing_behind(run, tmp_path):
    folder, _ = run
    plan = Plan(copy.deepcopy(STUDY) | {"least_success": 2.0})  # out of reach
    outputs = {part: str(tmp_path / part) for part in ("weights", "settings", "curves")}
    arguments = ({"patch": plan.trained["patch"]}, plan.training(), outputs, str(tmp_path / "checkpoints"), 0)
    with pytest.raises(UserError, match="the backdoor did not take"):
        train_kinds(str(folder / "digits.npy"), str(folder / "pools.parquet"), *arguments)
    assert not any(Path(path).exists() for path in outputs.values())


def test_claims_select_what_the_study_makes():
    claims = yaml.safe_load((ROOT / "scripts/backdoor/claims.yaml").read_text(encoding="utf-8"))["claims"]
    kinds = set(yaml.safe_load((ROOT / "config.yaml").read_text(encoding="utf-8"))["backdoor"]["models"])
    for claim in claims:
        named = claim["measure"]["select"].get("kind", [])
        assert set([named] if isinstance(named, str) else named) <= kinds, claim["id"]
        assert claim["measure"]["file"] in RELEASED
