"""The data: bit for bit the published ones, the published flips, and the real tables without names."""

import numpy as np
import pytest

from scripts.common.errors import UserError
from scripts.common.tabular import TABLES, encode, groups, table_of
from scripts.data.tabular import check_rows, finished, official_rows
from scripts.frtrain import frtrain_synthetic as synthetic
from scripts.frtrain.datasets import RealSettings, real_data, synthetic_data
from scripts.frtrain.poison import flipped_rows
from tests.frtrain.conftest import MIRROR

PERSONAL = ("name", "first", "last", "dob", "case")


def files_of(name: str) -> dict[str, bytes]:
    table = table_of(name)
    paths = {member: MIRROR / name / member for member in table.members}
    if not all(path.exists() for path in paths.values()):
        pytest.skip(f"the mirror of real data is absent ({name})")
    return {member: path.read_bytes() for member, path in paths.items()}


@pytest.fixture(scope="module")
def adult():
    return finished(official_rows(files_of("adult"), TABLES["adult"]), TABLES["adult"])


@pytest.fixture(scope="module")
def compas():
    return finished(official_rows(files_of("compas"), TABLES["compas"]), TABLES["compas"])


def test_the_regenerated_arrays_have_the_published_checksums(table):
    x, y, z = synthetic.draw()
    synthetic.check({"X_synthetic.npy": x, "y_synthetic.npy": y, "s1_synthetic.npy": z})
    poisoned = table["y_poisoned"].to_numpy(np.float32)[:2000]
    assert synthetic.file_sha256(poisoned) == synthetic.SHA256["y_poi.npy"]


def test_other_numbers_are_found_out():
    x, _, _ = synthetic.draw()
    x[0, 0] += 1e-6
    with pytest.raises(UserError, match=r"X_synthetic.npy .* use the locked environment"):
        synthetic.check({"X_synthetic.npy": x})


def test_the_counts_of_labels_and_groups(table):
    counts = table.groupby(["y", "z"]).size().to_dict()
    assert counts == {(-1, 0): 2740, (-1, 1): 960, (1, 0): 1397, (1, 1): 2303}
    assert table["split"].value_counts().to_dict() == {
        "unused": 3700, "train": 2000, "test": 1000, "valid": 500, "clean": 200
    }  # fmt: skip


def test_the_published_flips_all_hit_group_one(table):
    flipped = table[table["y"] != table["y_poisoned"]]
    assert len(flipped) == 200 and (flipped["row_id"] < 1800).sum() == 179
    assert flipped.groupby(["y", "z"]).size().to_dict() == {(1, 1): 190, (-1, 1): 10}


@pytest.mark.parametrize("rule", ["targeted", "both", "random"])
@pytest.mark.parametrize("rate", [0, 0.02, 0.2, 0.5])
def test_every_rule_flips_as_many_rows_as_asked(table, rule, rate):
    own = table[table["split"] == "train"]
    x, y, z = own[["x1", "x2", "z"]].to_numpy(), own["y"].to_numpy(float), own["z"].to_numpy()
    if rule == "targeted" and rate == 0.5:
        with pytest.raises(UserError, match=r"which has 8.. rows; lower the poisoning rate"):
            flipped_rows(x, y, z, rate, rule)
        return
    rows = flipped_rows(x, y, z, rate, rule, seed=3)
    assert len(np.unique(rows)) == round(rate * 2000)
    assert rule != "targeted" or (z[rows] == 1).all()


def test_random_flips_depend_on_their_seed_only(table):
    first, again, other = (synthetic_data(table, 0.1, "random", seed=seed).labels for seed in (1, 1, 2))
    assert (first == again).all() and (first != other).any()


def test_larger_validation_sets_take_unused_rows(table):
    data = synthetic_data(table, 0.1, clean_rows=400)
    assert list(data.parts["clean"][[0, 199, 200, 399]]) == [2000, 2199, 3700, 3899]
    with pytest.raises(UserError, match="4000 rows is asked for, there are 3900"):
        synthetic_data(table, 0.1, clean_rows=4000)


def test_adult_has_the_official_rows(adult):
    check_rows(adult, TABLES["adult"])
    assert adult["y"].sum() == 11208 and groups(adult, TABLES["adult"], "sex").sum() == 30527
    assert not adult.isna().any().any() and adult["official_test"].sum() == 15060


def test_compas_has_the_official_rows_and_no_person(compas):
    check_rows(compas, TABLES["compas"])
    assert compas["y"].mean() == pytest.approx(0.4507, abs=1e-4)
    assert compas.loc[compas["filtered"], "y"].mean() == pytest.approx(0.4551, abs=1e-4)
    assert not [column for column in compas for word in PERSONAL if word in column]


def test_wrong_row_counts_are_named(compas):
    with pytest.raises(UserError, match=r"compas: 7213 rows \(all\), expected 7214"):
        check_rows(compas.iloc[1:], TABLES["compas"])


def test_encoding_is_fitted_on_the_given_rows_only(compas):
    rows = np.arange(3000)
    x, names = encode(compas, TABLES["compas"], rows, rarest=0.01)
    assert x.dtype == np.float32 and x.shape == (7214, len(names))
    age = x[rows, names.index("age")]
    assert age.mean() == pytest.approx(0, abs=1e-4) and age.std() == pytest.approx(1, abs=1e-4)
    races = [place for place, name in enumerate(names) if name.startswith("race")]
    assert (x[:, races].sum(axis=1) == 1).all() and "race: rare" in names


def settings(**changes) -> RealSettings:
    plain = {"table": "compas", "attribute": "sex", "subset": "all", "train_rows": 500, "test_share": 0.3}
    plain |= {"valid_share": 0.1, "clean_share": 0.05, "rarest": 0.01, "rate": 0.1, "target_group": 1, "crowd": ""}
    return RealSettings(**plain | changes)


def test_a_real_split_has_disjoint_parts_and_flips_in_the_training_part_only(compas):
    data = real_data(compas, settings(), poisoned=True, crowd=True, seed=1)
    rows = np.concatenate(list(data.parts.values()))
    assert len(np.unique(rows)) == len(rows)
    flipped = np.flatnonzero(data.labels != data.y)
    in_train = np.isin(flipped, data.parts["train"])
    assert in_train.sum() == 50 and (data.z[flipped[in_train]] == 1).all()
    assert np.isin(flipped[~in_train], data.parts["clean"]).all()
    other = real_data(compas, settings(), poisoned=True, crowd=True, seed=2)
    assert (other.parts["test"] != data.parts["test"]).any()


def test_an_unknown_subset_or_attribute_is_named(compas):
    with pytest.raises(UserError, match="compas: the column recent is missing"):
        real_data(compas, settings(subset="recent"), poisoned=False, crowd=False, seed=1)
    with pytest.raises(UserError, match="compas: no attribute 'age'; there are sex, race"):
        real_data(compas, settings(attribute="age"), poisoned=False, crowd=False, seed=1)
