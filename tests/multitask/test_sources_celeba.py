"""People of CelebA's attribute table, all real rows, and of faces as principal components."""

import gzip
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from scripts.common import parquet
from scripts.common.errors import UserError
from scripts.data.celeba import read_attribute_text
from scripts.data.celeba_names import ATTRIBUTES
from scripts.data.celeba_partitions import partitions
from scripts.multitask.sources import people_of
from scripts.multitask.sources.celeba import TASKS, setting
from scripts.multitask.sources.faces import grey_values, principal_components

MIRROR = Path(__file__).parents[3] / "shared" / "data" / "celeba" / "list_attr_celeba.txt.gz"


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    """Paths of the real attributes and of the splits."""
    if not MIRROR.exists():
        pytest.skip("the mirror of CelebA's attribute file is absent")
    folder = tmp_path_factory.mktemp("celeba")
    (folder / "list_attr_celeba.txt").write_bytes(gzip.decompress(MIRROR.read_bytes()))
    paths = {name: str(folder / f"{name}.parquet") for name in ("attributes", "partitions")}
    parquet.write(read_attribute_text(folder / "list_attr_celeba.txt"), paths["attributes"])
    parquet.write(partitions(), paths["partitions"])
    return paths


@pytest.fixture(scope="module")
def made_up(tmp_path_factory):
    """Paths of 600 rows of random attributes with faces of random pixels; of each split a third."""
    folder = tmp_path_factory.mktemp("made up")
    rng = np.random.default_rng(0)
    ids = np.arange(1, 601)
    values = pd.DataFrame(rng.choice([-1, 1], (600, 40)).astype(np.int8), columns=[*ATTRIBUTES])
    values.insert(0, "row_id", ids)
    frames = {
        "attributes": values,
        "partitions": pd.DataFrame({"row_id": ids, "official": np.repeat([0, 1, 2], 200).astype(np.int8)}),
        "index": pd.DataFrame({"row_id": ids[::2], "position": np.arange(300)[::-1]}),
    }
    paths = {name: str(folder / f"{name}.parquet") for name in frames}
    for name, frame in frames.items():
        parquet.write(frame, paths[name])
    paths |= {"images": str(folder / "images.npy"), "dataset": str(folder / "dataset.json")}
    np.save(paths["images"], rng.integers(0, 256, (300, 78, 64, 3), dtype=np.uint8))
    Path(paths["dataset"]).write_text(json.dumps({"name": "rendered faces"}), encoding="utf-8")
    return paths


@pytest.mark.parametrize(("attribute", "tasks", "features"), [("Male", 17, 22), ("Young", 31, 8)])
def test_both_published_settings(tables, attribute, tasks, features):
    people = people_of("celeba", {"source": "celeba", "attribute": attribute}, tables)
    assert (len(people.tasks), people.features.shape) == (tasks, (202_599, features))
    assert np.bincount(people.split).tolist() == [162_770, 19_867, 19_962]
    assert {*people.tasks, *people.feature_names, attribute} == {*ATTRIBUTES}
    real = parquet.read(tables["attributes"])
    assert (people.labels == (real[[*people.tasks]] == 1).to_numpy()).all()
    assert (people.groups == (real[attribute] == 1)).all()
    assert people.groups.mean() == pytest.approx({"Male": 0.417, "Young": 0.774}[attribute], abs=5e-4)
    assert people.title == {"Male": "CelebA attributes, gen", "Young": "CelebA attributes, age"}[attribute]


def test_fewer_rows_of_each_official_split(tables):
    entry = {"source": "celeba", "attribute": "Male", "most_rows": {"train": 8192, "valid": 100, "test": 50}}
    people = people_of("celeba", entry, tables)
    assert np.bincount(people.split).tolist() == [8192, 100, 50]
    assert people.row_ids[people.rows("train")].max() <= 162_770 < people.row_ids[people.rows("valid")].min()
    assert people.title == "CelebA attributes, gen, 8,192 training rows"
    assert people.features[people.rows("train")].std(axis=0) == pytest.approx(1, abs=1e-4)


def test_tasks_and_attributes_may_be_others(made_up):
    entry = {"source": "celeba", "attribute": "Smiling", "tasks": ["Male", "Young"]}
    people = people_of("celeba", entry, made_up)
    assert people.tasks == ("Male", "Young") and people.features.shape == (600, 37)
    assert people.group_names == ("not Smiling", "Smiling") and "Smiling" not in people.feature_names


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"attribute": "male"}, "place.attribute: CelebA has no attribute 'male'"),
        ({"attribute": "Male", "tasks": ["Tall"]}, "place.tasks: CelebA has no attribute 'Tall'"),
        ({"attribute": "Male", "tasks": ["Male", "Young"]}, "place.tasks: Male is the sensitive attribute; take it"),
        ({"attribute": "Smiling"}, "place.tasks: only Male and Young have tasks of their own; list those of Smiling"),
    ],
)
def test_settings_that_cannot_be_used_are_refused(entry, message):
    with pytest.raises(UserError, match=message):
        setting(entry, "place")


def test_splits_of_other_images_are_refused(made_up, tmp_path):
    parquet.write(parquet.read(made_up["partitions"]).iloc[::-1], tmp_path / "other.parquet")
    with pytest.raises(UserError, match=r"other\.parquet: holds other images than the attributes"):
        people_of(
            "celeba", {"source": "celeba", "attribute": "Male"}, made_up | {"partitions": tmp_path / "other.parquet"}
        )


def test_grey_values_are_those_of_the_middle_and_means_of_four_pixels():
    images = np.random.default_rng(1).integers(0, 256, (3, 78, 64, 3), dtype=np.uint8)
    grey = grey_values(images, np.array([2, 0]))
    block = images[2, 7:9, 0:2].astype(float) / 255
    assert grey.shape == (2, 1024) and grey.dtype == np.float32
    assert grey[0, 0] == pytest.approx((block @ [0.299, 0.587, 0.114]).mean(), abs=1e-6)
    last = images[0, 69:71, 62:64].astype(float) / 255
    assert grey[1, -1] == pytest.approx((last @ [0.299, 0.587, 0.114]).mean(), abs=1e-6)
    assert grey_values(np.full((1, 64, 64, 3), 255, np.uint8), np.array([0])) == pytest.approx(1)


def test_components_are_those_of_scikit_learn_fitted_on_the_training_rows():
    from sklearn.decomposition import PCA

    rng = np.random.default_rng(2)
    values = (rng.normal(size=(300, 20)) * np.arange(1, 21)).astype(np.float32)
    fit = np.arange(300) < 200
    scores, explained = principal_components(values, fit, 5)
    reference = PCA(5, svd_solver="full").fit(values[fit].astype(float))
    theirs = reference.transform(values.astype(float))
    assert np.abs(scores) == pytest.approx(np.abs(theirs), abs=1e-4)
    assert explained == pytest.approx(reference.explained_variance_ratio_.sum(), abs=1e-6)
    axes = np.linalg.lstsq(values - values[fit].mean(axis=0), scores, rcond=None)[0]
    assert (axes[np.abs(axes).argmax(axis=0), range(5)] > 0.1).all(), "the sign of a component is a convention"
    again, _ = principal_components(np.concatenate([values[:200], 5 * values[200:]]), fit, 5)
    assert (again[:200] == scores[:200]).all(), "rows that are not fitted on change nothing"


def test_faces_are_split_by_their_images_and_labelled_by_the_table(made_up):
    people = people_of("faces", {"source": "faces", "attribute": "Male", "components": 10}, made_up)
    assert people.features.shape == (300, 10) and people.tasks == TASKS["Male"]
    assert np.bincount(people.split).tolist() == [100, 100, 100]
    real = parquet.read(made_up["attributes"]).set_index("row_id").loc[people.row_ids]
    assert (people.labels == (real[[*people.tasks]] == 1).to_numpy()).all()
    assert people.title == "rendered faces, principal components"
    images = np.load(made_up["images"])
    position = parquet.read(made_up["index"]).set_index("row_id").loc[people.row_ids, "position"].to_numpy()
    scores, _ = principal_components(grey_values(images, position), people.split == 0, 10)
    train = scores[people.split == 0]
    assert people.features == pytest.approx((scores - train.mean(axis=0)) / train.std(axis=0), abs=1e-4)


def test_too_few_faces_for_the_components_are_refused(made_up):
    with pytest.raises(UserError, match=r"faces: 60 training faces are too few for 64 components; raise faces\.rows"):
        people_of("faces", {"source": "faces", "attribute": "Male", "most_rows": {"train": 60}}, made_up)
