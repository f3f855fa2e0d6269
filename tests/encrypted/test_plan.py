"""What the rules read off the config: datasets, settings, parcels, and what each job is made from."""

from types import SimpleNamespace

import pytest

from scripts.common.errors import UserError
from scripts.encrypted.plan import IMAGE, SLOTS, Plan
from scripts.encrypted.settings import Setting, setting_of
from tests.common.test_config import merged

PLAIN = {"name": "plain", "hidden": [8], "ring": 8192, "moduli": [50, 30, 30, 30, 50], "scale": 30}
DEEP = {"name": "deep", "hidden": [8, 8], "ring": 16384, "moduli": [50, 30, 30, 30, 30, 30, 50], "scale": 30}
TRAINING = {"epochs": 3, "batch_size": 32}
MNIST = {"name": "mnist", "source": "mnist", "side": 28, "settings": ["dct-16", "pooling-49", "dct-49-deep"]}
MNIST |= {"repeated": ["dct-16"], "latency": ["pooling-49", "dct-49-deep"]}
DIGITS = {"name": "digits", "source": "digits", "side": 8, "settings": ["dct-16"], "training": {"epochs": 9}}
FACES = {
    "name": "faces",
    "source": "faces",
    "side": 32,
    "attribute": "Smiling",
    "group": "Male",
    "settings": ["dct-16"],
}
OWN = {"name": "own", "source": "folder", "side": 16, "settings": ["dct-16"]}


def block(*datasets, **changes):
    found = {"data": {"source": "package", "folder": ""}, "folder": "", "networks": [PLAIN, DEEP], "bits": 4}
    found |= {"training": TRAINING, "seeds": [1, 2], "keys": 3, "latency_images": 5}
    return found | {"datasets": list(datasets), "tfhe": merged()["encrypted"]["tfhe"]} | changes


@pytest.fixture
def plan():
    return Plan(block(MNIST, DIGITS, FACES, OWN))


def dataset(name):
    return SimpleNamespace(dataset=name)


def parcel(name):
    return SimpleNamespace(parcel=name)


@pytest.mark.parametrize("name", ["dct-16", "block_dct-48", "pixels-784", "dct-49-deep", "pooling-1-deep_2"])
def test_a_setting_is_its_name(name):
    assert setting_of(name).name == name


def test_a_setting_on_the_plain_network_has_no_third_part():
    assert setting_of("dct-49") == setting_of("dct-49-plain") == Setting("dct", 49, "plain")
    assert setting_of("crop-4-deep") == Setting("crop", 4, "deep")


@pytest.mark.parametrize(
    "name", ["", "dct", "dct-", "dct-0", "dct-04", "dct--4", "dct-4-", "wavelet-4", "dct-4 ", "dct-4-Deep"]
)
def test_what_is_no_setting_is_one_line(name):
    with pytest.raises(UserError, match="write TRANSFORM-K, such as dct-49; transforms are dct, block_dct"):
        setting_of(name)


def test_every_setting_is_in_one_parcel_of_its_network_packing_and_key(plan):
    assert {name: own.settings for name, own in plan.parcels.items()} == {
        "mnist.plain.slots.key1": ("dct-16", "pooling-49"),
        "mnist.plain.slots.key2": ("dct-16",),
        "mnist.plain.slots.key3": ("dct-16",),
        "mnist.plain.image.key1": ("pooling-49",),
        "mnist.deep.slots.key1": ("dct-49-deep",),
        "mnist.deep.image.key1": ("dct-49-deep",),
        "digits.plain.slots.key1": ("dct-16",),
        "faces.plain.slots.key1": ("dct-16",),
    }


def test_parameters_and_images_of_a_parcel(plan):
    assert plan.parameters(parcel("mnist.deep.image.key1")) == {key: DEEP[key] for key in ("ring", "moduli", "scale")}
    assert plan.packing(parcel("mnist.deep.image.key1")) == IMAGE
    assert plan.packing(parcel("digits.plain.slots.key1")) == SLOTS
    assert plan.most_images(parcel("mnist.plain.image.key1")) == 5
    assert plan.most_images(parcel("mnist.plain.slots.key1")) is None
    assert plan.parcel_settings(parcel("mnist.plain.slots.key2")) == ["dct-16"]
    assert plan.about_parcels["mnist.plain.slots.key2"] == {
        "dataset": "mnist",
        "network": "plain",
        "packing": SLOTS,
        "key": 2,
    }


def test_the_file_of_a_parcels_dataset(plan):
    assert (
        plan.of_parcel("models/{dataset}.safetensors")(parcel("digits.plain.slots.key1")) == "models/digits.safetensors"
    )


def test_one_key_repeats_nothing():
    keys = {own.key for own in Plan(block(MNIST, keys=1)).parcels.values()}
    assert keys == {1}


def test_the_folder_of_the_user_takes_part_where_it_is_named(tmp_path, plan):
    for path in ("cat/b.png", "cat/a.png", "dog/c.png", ".hidden/d.png", "cat/.e.png", "loose.png"):
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).touch()
    assert "own" not in plan.datasets
    found = Plan(block(OWN, folder=str(tmp_path)))
    assert [*found.datasets] == ["own"]
    expected = [str(tmp_path / name) for name in ("cat/a.png", "cat/b.png", "dog/c.png")]
    assert found.source_files(dataset("own")) == found.users_files(dataset("own")) == expected
    assert found.image_settings(dataset("own"))["places"] == {"folder": str(tmp_path)}
    assert Plan(block(OWN, folder=str(tmp_path / "none"))).source_files(dataset("own")) == []


def test_files_that_images_are_read_from(plan):
    assert plan.source_files(dataset("mnist")) == [
        "results/data/mnist/package.npy",
        "results/data/mnist/package.parquet",
    ]
    assert plan.source_files(dataset("digits")) == [] and plan.users_files(dataset("mnist")) == []
    assert "results/data/celeba/attributes.parquet" in plan.source_files(dataset("faces"))
    assert plan.shared_files == [*plan.source_files(dataset("mnist")), *plan.source_files(dataset("faces"))]


def test_a_job_hangs_on_what_it_is_made_from_alone():
    """Training changes no image; a setting, no image; a limit of rows remakes the images of its dataset alone."""
    base = Plan(block(MNIST, DIGITS))
    edits = [
        (block(MNIST, DIGITS, training=TRAINING | {"epochs": 5}), set(), {"mnist"}),
        (block(MNIST, DIGITS | {"training": {"epochs": 5}}), set(), {"digits"}),
        (block(MNIST | {"settings": MNIST["settings"] + ["crop-4"]}, DIGITS), set(), {"mnist"}),
        (block(MNIST | {"most_rows": {"test": 9}}, DIGITS), {"mnist"}, set()),
        (block(MNIST | {"repeated": []}, DIGITS, keys=1, latency_images=2), set(), set()),
        (block(MNIST, DIGITS, bits=3), set(), {"mnist", "digits"}),
        (block(MNIST, DIGITS, networks=[PLAIN | {"ring": 16384}, DEEP]), set(), set()),
    ]
    for edited, images, trained in edits:
        again = Plan(edited)
        of_images = {
            name for name in base.datasets if again.image_settings(dataset(name)) != base.image_settings(dataset(name))
        }
        of_training = {name for name in base.datasets if again.trained(dataset(name)) != base.trained(dataset(name))}
        assert (of_images, of_training) == (images, trained)


def test_training_of_a_dataset_goes_before_that_of_all(plan):
    assert plan.trained(dataset("digits"))["training"] == {"epochs": 9, "batch_size": 32}
    assert plan.trained(dataset("mnist"))["hidden"] == {"plain": [8], "deep": [8, 8]}
    assert plan.measured["digits"] == {"source": "digits", "settings": ["dct-16"]}


def test_the_longest_parcels_begin_first(plan):
    assert plan.priority(parcel("mnist.plain.slots.key1")) == 165 > plan.priority(parcel("mnist.plain.slots.key2"))


@pytest.mark.parametrize("overlays", [[], ["config.test.yaml"], ["config.paper.yaml"]])
def test_the_configured_scales_encrypt_every_setting_with_key_1(overlays):
    found = Plan(merged(*overlays)["encrypted"])
    for name, entry in found.datasets.items():
        first = [
            own.settings for own in found.parcels.values() if (own.dataset, own.packing, own.key) == (name, SLOTS, 1)
        ]
        assert sorted(sum(first, ())) == sorted(entry["settings"])
