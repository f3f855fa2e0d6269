"""The whole protocol on a few digits, really encrypted, through the functions of the rules: what is released of it."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from scripts.common import parquet
from scripts.encrypted import costs, images, jobs, networks, numbers
from scripts.encrypted.encrypted_decrypt import write_logits
from scripts.encrypted.encrypted_encrypt import encrypt
from scripts.encrypted.encrypted_measure import Decrypted, decrypted_of, load, logits_of, measure_all, picture_of
from scripts.encrypted.parcels import networks_of, parameters_of, write_costs
from scripts.encrypted.plan import Plan
from scripts.encrypted.printed import PUBLISHED_NUMBERS
from scripts.encrypted.settings import setting_of
from scripts.provenance.release import refuse_rows_and_images
from tests.encrypted.small import SETTINGS, TRAINED, made
from tests.encrypted.test_plan import PLAIN, block

pytest.importorskip("tenseal")

STUDY = block(
    {
        "name": "digits",
        "source": "digits",
        "side": 8,
        "settings": SETTINGS,
        "repeated": ["dct-16"],
        "latency": ["dct-16"],
    },
    networks=[PLAIN | {"hidden": [6]}],
    keys=2,
    latency_images=2,
)
FRAMES = ["metrics", "comparisons", "settings", "costs", "noise", "logits"]
FRAMES += ["efficiency", "published", "security", "picture"]


@dataclass(frozen=True)
class Job:
    """What stands for a job's wildcards."""

    parcel: str


def run(folder: Path, paths: dict[str, str]) -> dict[str, Path]:
    """Encrypt, infer, decrypt and measure as the rules do, with fresh keys; return the released files."""
    plan, logits, seconds = Plan(STUDY), {}, []
    for name in plan.parcels:
        job, place = Job(name), folder / name
        parameters, packing, settings = (
            parameters_of(plan.parameters(job)),
            plan.packing(job),
            plan.parcel_settings(job),
        )
        known = networks_of(paths["networks"], settings, TRAINED["seeds"][0])
        files = paths | {"client": str(place / "client.context"), "public": str(place / "server.context")}
        sent, reply = str(place / "sent.bin"), str(place / "reply.bin")
        rows = {"keys": jobs.write_keys(parameters, packing, files["client"], files["public"])}
        rows["encrypt"] = encrypt(files, settings, known, parameters, packing, plan.most_images(job), sent)
        rows["infer"] = jobs.infer_parts(files["public"], sent, known, parameters, packing, reply)
        found, rows["decrypt"] = jobs.decrypt_parts(files["client"], files["public"], reply, known, parameters, packing)
        logits[name] = str(place / "logits.parquet")
        write_logits(found, paths["index"], logits[name])
        for step in costs.STEPS:
            write_costs(rows[step], place / f"{step}.json")
            seconds.append(str(place / f"{step}.json"))
    data = load("digits", plan.measured["digits"], paths, TRAINED["seeds"])
    output = {name: folder / f"{name}.parquet" for name in FRAMES}
    measure_all(
        [data],
        decrypted_of(logits, plan.about_parcels),
        costs.gathered(seconds, plan.about_parcels),
        STUDY["networks"],
        PUBLISHED_NUMBERS,
        output,
    )
    return output


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    """Paths of a dataset's files, and what two runs with fresh keys release."""
    folder = tmp_path_factory.mktemp("measured")
    paths = made(folder)
    return paths, [run(folder / f"run{place}", paths) for place in (1, 2)]


@pytest.fixture(scope="module")
def frames(measured):
    return {name: pd.read_parquet(path) for name, path in measured[1][0].items()}


@pytest.mark.parametrize("name", ["metrics", "comparisons", "settings", "published", "security", "picture"])
def test_fresh_keys_change_no_byte_of_what_is_not_noise_or_time(measured, name):
    _, (first, second) = measured
    assert first[name].read_bytes() == second[name].read_bytes()


def test_noise_is_another_with_fresh_keys(measured):
    first, second = (pd.read_parquet(files["noise"]) for files in measured[1])
    assert (first["max_error"] != second["max_error"]).all() and (first[["n", "flips"]] == second[["n", "flips"]]).all(
        None
    )
    assert len(first["max_error"].unique()) == len(first) == 5


def accuracy_by_hand(paths, setting):
    """Accuracy of the first seed's network, from its file and the images' numbers."""
    found = images.read(paths["images"], paths["index"])
    network = networks.read(paths["networks"], [networks.name_of(setting, 1)])[networks.name_of(setting, 1)]
    inputs = numbers.read(paths["numbers"], setting_of(setting))[found.test]
    hidden = np.column_stack([inputs, np.ones(len(inputs))]) @ network.matrices[0]
    predicted = (hidden * hidden @ network.matrices[1] + network.bias).argmax(1)
    return np.mean([a == b for a, b in zip(predicted, found.labels[found.test], strict=True)])


@pytest.mark.parametrize("setting", SETTINGS)
def test_accuracies_are_those_of_a_second_way(measured, frames, setting):
    rows = frames["metrics"].query("setting == @setting and seed == 1 and metric == 'accuracy'").set_index("condition")
    expected = accuracy_by_hand(measured[0], setting)
    assert rows.loc["mode=clear", "value"] == pytest.approx(expected) and rows.loc["mode=clear", "n"] == 60
    flips = frames["noise"].query("setting == @setting and key == 1 and packing == 'slots'")["flips"].item()
    assert abs(rows.loc["mode=encrypted", "value"] - expected) * 60 <= flips + 1e-9
    agreement = frames["metrics"].query("setting == @setting and metric == 'prediction_agreement'")["value"].item()
    assert agreement == pytest.approx(1 - flips / 60)


def test_accuracy_in_clear_is_that_of_all_seeds_and_simulated_that_of_quantised_networks(measured, frames):
    told = parquet.read(measured[0]["predictions"])
    right = (told["y_true"] == told["y_pred"]).groupby(told["run"], observed=True).mean()
    rows = frames["metrics"].query("metric == 'accuracy' and condition != 'mode=encrypted'").set_index("run")["value"]
    assert right.sort_index().to_dict() == pytest.approx(rows.sort_index().to_dict())
    simulated = frames["metrics"].query("condition == 'mode=simulated'")
    assert {*simulated["protocol"]} == {"as_published"} and simulated["run"].str.contains("quantised").all()
    assert {*frames["metrics"].query("condition == 'mode=encrypted'")["protocol"]} == {"corrected"}


def test_every_setting_has_its_rows(frames):
    rows = frames["metrics"].groupby(["setting", "metric", "condition"]).size().to_dict()
    for setting in SETTINGS:
        assert rows[setting, "accuracy", "mode=clear"] == rows[setting, "accuracy", "mode=simulated"] == 2
        assert (
            rows[setting, "accuracy", "mode=encrypted"] == rows[setting, "prediction_agreement", "mode=encrypted"] == 1
        )
        for of in ("subsets", "binomial"):
            assert rows[setting, "accuracy_deviation", f"mode=simulated, of={of}"] == 2
    pairs = frames["comparisons"].query("first == 'encrypted'")[["setting", "key"]].to_records(index=False).tolist()
    assert pairs == [*((name, 1) for name in SETTINGS), ("dct-16", 2)]
    clear = frames["comparisons"].query("condition == 'mode=clear'")
    assert {*zip(clear["first"], clear["second"], strict=True)} == {
        ("dct-16", "pooling-16"),
        ("dct-16", "pixels-64"),
        ("pooling-16", "pixels-64"),
    }


def test_encryption_changes_logits_little_and_differently_by_packing(frames):
    noise = frames["noise"].set_index(["setting", "packing", "key"])
    assert noise["max_error"].max() < 0.05 and noise["n"].to_dict()["dct-16", "image", 1] == 2
    shown = frames["logits"]
    errors = (shown["clear"] - shown["decrypted"]).abs()
    assert shown.groupby("setting").size().eq(30 * 10).all() and 0 < errors.max() <= noise["max_error"].max() + 1e-12
    assert shown.groupby("setting")["image"].nunique().eq(30).all()


def test_products_are_counted_and_pixels_keep_all_energy(frames):
    settings = frames["settings"].set_index("setting")
    assert settings["plain_products"].to_dict() == {name: (setting_of(name).k + 1) * 6 + 6 * 10 for name in SETTINGS}
    assert settings["squares"].eq(6).all() and settings["kept_energy"].to_dict()["pixels-64"] == pytest.approx(1)
    assert settings[["train_rows", "test_rows", "side", "classes"]].drop_duplicates().to_numpy().tolist() == [
        [200, 60, 8, 10]
    ]
    # mean pooling keeps the lowest frequencies of 2x2 blocks, sixteen frequencies of the whole no less
    assert settings.loc["pooling-16", "kept_energy"] <= settings.loc["dct-16", "kept_energy"] < 1


def test_costs_name_every_operation_of_every_ciphertext(frames):
    rows = frames["costs"]
    for setting in SETTINGS:
        own = rows[(rows["setting"] == setting) & (rows["packing"] == "slots") & (rows["key"] == 1)]
        steps = ["encrypt", "load", "linear_1", "square", "linear_2", "infer", "decrypt"]
        assert own["operation"].tolist() == steps and own["images"].eq(60).all()
        parts = own[own["operation"].isin(steps[1:5])]
        whole = own.set_index("operation").loc["infer"]
        assert 0 < parts["cpu_seconds"].sum() <= whole["cpu_seconds"] + 0.01 and whole["bytes"] > 0
    alone = rows.query("packing == 'image' and operation == 'infer'")
    assert alone["images"].tolist() == [1, 1]
    keys = rows[rows["setting"].isna()].set_index(["packing", "key", "operation"])["bytes"]
    assert keys["image", 1, "keys_public"] > keys["slots", 1, "keys_public"] > 0


def test_ratios_of_costs_are_those_of_the_released_rows(frames):
    rows = frames["efficiency"]
    cpu = rows.query("metric == 'cpu_ms_per_image' and packing == 'slots'").set_index("setting")["value"]
    ratio = rows.query("metric == 'cost_ratio'").iloc[0]
    assert ratio["value"] == pytest.approx(cpu["pixels-64"] / cpu[ratio["other"]])
    assert rows.query("metric == 'throughput_ratio'")["setting"].tolist() == ["dct-16"]


def test_the_picture_is_a_digit_of_the_test(measured, frames):
    found = images.read(measured[0]["images"], measured[0]["index"])
    picture = frames["picture"]
    assert picture["position"].tolist() == [*range(64)] and picture["side"].eq(8).all()
    assert any((own == picture["value"].to_numpy(np.float32)).all() for own in found.values[found.test])


@pytest.mark.parametrize("name", FRAMES)
def test_a_release_takes_every_frame(measured, name):
    refuse_rows_and_images(measured[1][0][name])


@pytest.mark.parametrize(
    ("kind", "title", "public"),
    [("folder", "own", 0), ("faces", "CelebA at 32x32, Smiling", 0), ("faces", "rendered faces at 32x32, Smiling", 1)],
)
def test_logits_and_images_of_photographs_and_users_are_not_released(measured, kind, title, public):
    known = load("digits", {"source": kind, "settings": ["dct-16"]}, measured[0], (1,))
    data = replace(known, found=replace(known.found, title=title))
    decrypted = [Decrypted(setting_of("dct-16"), "slots", 1, np.zeros((60, 10)))]
    assert len(logits_of([data], {"digits": decrypted})) == public * 300 and len(picture_of([data])) == public * 64
