"""Rule `multitask_fit`: files of a job, and that a run depends on its names alone."""

import json
from dataclasses import asdict, replace

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from scripts.common import parquet
from scripts.common.schemas.predictions import PREDICTIONS, attributes_of, groups_of
from scripts.multitask.methods import METHODS
from scripts.multitask.multitask_fit import fit_all, fit_job, problem_of, run_name, sample_of, with_group
from scripts.multitask.people import write
from scripts.multitask.training import Settings
from tests.multitask.small import people

KINDS = ("predictions", "runs", "curves", "branchings", "alignments", "seconds")
TRAINING = {"widths": [8, 6], "epochs": 2, "batch_size": 64}
CHOSEN = ("stl", "vanilla", "fairbranch", "teacher_random", "stl_as_published", "fairbranch_protected_feature")


def run_job(folder, names=CHOSEN, seeds=(1, 2), sample_rows=32, own=None):
    own = own or people(rows=200)
    folder.mkdir(exist_ok=True)
    names = [name for name in METHODS if name in {*names, *(METHODS[name].after for name in names)}]
    settings = {"dataset": "small", "training": TRAINING, "sample_rows": sample_rows}
    settings |= {"methods": {}, "seeds": {}}
    for name in names:
        settings["methods"][name], settings["seeds"][name] = asdict(METHODS[name]), [*seeds]
    write(own, folder / "people.parquet")
    output = {kind: folder / f"{kind}.parquet" for kind in KINDS}
    fit_job(folder / "people.parquet", settings, output)
    return output


@pytest.fixture(scope="module")
def job(tmp_path_factory):
    output = run_job(tmp_path_factory.mktemp("fit") / "first")
    return output | {"frames": {kind: parquet.read(path) for kind, path in output.items() if kind != "seconds"}}


def test_all_files_have_all_runs(job):
    frames = job["frames"]
    methods = [*CHOSEN, "l2t_fmt"]
    runs = {run_name("small", method, seed) for method in methods for seed in (1, 2)}
    assert {*frames["runs"]["run"]} == {*frames["predictions"]["run"]} == {*frames["curves"]["run"]} == runs
    seconds = json.loads(job["seconds"].read_text(encoding="utf-8"))
    assert seconds.keys() == runs and min(seconds.values()) > 0
    assert {*frames["alignments"]["run"]} == {run_name("small", "vanilla", seed) for seed in (1, 2)}
    assert len(frames["alignments"]) == 2 * 3  # pairs of three tasks
    for kind in ("runs", "curves", "branchings", "alignments"):
        assert (frames[kind]["dataset"] == "small").all()
    named = frames["runs"].set_index("run")
    assert named.loc["small.vanilla.seed2", ["method", "seed"]].tolist() == ["vanilla", 2]


def test_predictions_follow_the_schema(job):
    path, found, own = job["predictions"], job["frames"]["predictions"], people(rows=200)
    schema = pq.read_schema(path)
    for field in PREDICTIONS:
        stored = schema.field(field.name).type
        assert getattr(stored, "value_type", stored) == field.type, field.name
    assert attributes_of(path) == ["group"] and groups_of(path) == {"group": ["group 0", "group 1"]}
    test = own.rows("test")
    for (_, task), part in found.groupby(["run", "task"], observed=True):
        place = own.tasks.index(task)
        assert part["row_id"].tolist() == own.row_ids[test].tolist() and (part["split"] == "test").all()
        assert part["y_true"].tolist() == own.labels[test, place].tolist()
        assert part["group"].tolist() == own.groups[test].tolist()
        assert np.array_equal(part["y_pred"], (part["score"] > 0).astype(int)) and part["score"].nunique() > 10
    assert not found.duplicated(["run", "task", "row_id"]).any()
    assert len(found) == 14 * 3 * len(test)


def test_a_second_run_gives_the_same_bytes(job, tmp_path):
    again = run_job(tmp_path / "again")
    for kind in KINDS:
        same = again[kind].read_bytes() == job[kind].read_bytes()
        assert same is (kind != "seconds"), kind


def test_a_run_does_not_depend_on_what_else_is_in_its_job(job, tmp_path):
    for names, seeds in ((["fairbranch"], (2,)), (["teacher_random"], (2, 1)), (["vanilla"], (1,))):
        output = run_job(tmp_path / names[0], names, seeds)
        for kind in ("predictions", "curves", "runs", "branchings", "alignments"):
            alone, together = parquet.read(output[kind]), job["frames"][kind]
            for run in alone["run"].unique():
                one, other = (frame[frame["run"] == run].reset_index(drop=True) for frame in (alone, together))
                one["run"], other["run"] = one["run"].astype(str), other["run"].astype(str)
                pd.testing.assert_frame_equal(one, other, check_exact=True)


def test_the_order_of_methods_does_not_matter():
    settings, names = Settings((8, 6), 2, 64), ("vanilla", "fixed_1", "pcgrad", "fairbranch")
    found = []
    for order in (names, names[::-1]):
        frames = fit_all(
            people(rows=200),
            "small",
            {name: METHODS[name] for name in order},
            {name: [1] for name in order},
            settings,
            0,
        )
        found.append(frames["predictions"].sort_values(["run", "task", "row_id"], ignore_index=True))
    pd.testing.assert_frame_equal(*found, check_exact=True)


def test_conflicts_are_counted_where_the_plan_says(job):
    curves = job["frames"]["curves"]
    counted = curves[curves["quantity"] == "conflicts"]
    methods = {run.split(".")[1] for run in counted["run"]}
    assert methods == {"vanilla", "fairbranch", "l2t_fmt"}
    layers = counted.groupby(["run", "epoch"])["layer"].agg(set)
    assert (layers == {1, 2}).all()


def test_without_sample_rows_nothing_is_counted(tmp_path):
    output = run_job(tmp_path, ["vanilla"], (1,), sample_rows=0)
    assert {*parquet.read(output["curves"])["quantity"]} == {"train_loss", "valid_loss"}
    for kind in ("alignments", "branchings"):
        frame = parquet.read(output[kind])
        assert not len(frame) and {"run", "dataset"} <= {*frame.columns}


def test_what_a_branching_merged(job):
    found = job["frames"]["branchings"]
    assert {*found["run"]} == {f"small.{name}.seed{s}" for name in (CHOSEN[2], CHOSEN[5]) for s in (1, 2)}
    for _, own in found.groupby(["run", "layer"]):
        tasks = [task for group in own["tasks"] for task in group.split("; ")]
        assert sorted(tasks) == ["task 0", "task 1", "task 2"] and (own["layer"] == 2).all()
        assert own["similarity"].isna().tolist() == [";" not in group for group in own["tasks"]]


def test_the_group_is_a_feature_under_its_fault():
    for groups in (2, 3):
        own = people(rows=60, groups=groups)
        shown = problem_of(own, METHODS["fairbranch_protected_feature"], Settings((4, 4), 2, 16), "small", 0).people
        assert shown.feature_names[6:] == tuple(f"group=group {code}" for code in range(1, groups))
        assert np.array_equal(shown.features[:, :6], own.features) and shown.features.dtype == np.float32
        for code in range(1, groups):
            assert np.array_equal(shown.features[:, 5 + code], own.groups == code)
        assert np.array_equal(with_group(own).features, shown.features)
    assert problem_of(own, METHODS["fairbranch"], Settings((4, 4), 2, 16), "small", 0).people is own


def test_the_unlike_networks_see_a_fifth_of_the_rows_five_times_as_often():
    own, settings = people(rows=400), Settings((4, 4), 3, 16)
    unlike = problem_of(own, METHODS["stl_as_published"], settings, "small", 0)
    assert len(unlike.train) == round(0.2 * len(own.rows("train"))) == 40 and unlike.settings.epochs == 15
    assert replace(unlike.settings, epochs=3) == settings
    for split in ("valid", "test"):
        assert unlike.people.row_ids[unlike.people.rows(split)].tolist() == own.row_ids[own.rows(split)].tolist()
    kept = unlike.people.row_ids[unlike.people.rows("train")]
    assert set(kept) < set(own.row_ids[own.rows("train")]) and len(set(kept)) == 40
    other = problem_of(own, METHODS["stl_as_published"], settings, "small", 7)  # one state for all seeds
    assert other.people.row_ids[other.people.rows("train")].tolist() == kept.tolist()
    assert "group=group 1" in unlike.people.feature_names


def test_rows_of_a_sample_are_training_rows_and_the_same_for_all_seeds_and_methods():
    own = people(rows=200)
    problems = [
        problem_of(own, METHODS[name], Settings((4, 4), 1, 16), "small", seed)
        for name, seed in (("vanilla", 0), ("fairbranch", 0), ("vanilla", 1))
    ]
    samples = [sample_of(what, 20).features for what in problems]
    assert all(np.array_equal(sample, samples[0]) for sample in samples) and len(samples[0]) == 20
    train = {row.tobytes() for row in problems[0].train.features.numpy()}
    assert {row.tobytes() for row in samples[0].numpy()} <= train
    assert sample_of(problems[0], 0) is None and len(sample_of(problems[0], 10**6)) == len(problems[0].train)


def test_three_groups_run_through(tmp_path):
    output = run_job(tmp_path, ["fairbranch", "stl_as_published"], (1,), own=people(rows=240, groups=3))
    found = parquet.read(output["predictions"])
    assert {*found["group"]} == {0, 1, 2} and groups_of(output["predictions"])["group"][2] == "group 2"
