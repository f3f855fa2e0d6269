"""The VAE as a generator: one fit for all parts, rows in the schema of the table, the same rows from the same seed."""

import numpy as np
import pandas as pd
import pytest
import torch

from scripts.common.mixed_table import MixedTable
from scripts.imbalance import generators
from scripts.imbalance.generators import vae

SETTINGS = {"hidden": 32, "latent": 4, "steps": 200, "batch": 128, "learning_rate": 0.01}


@pytest.fixture(autouse=True)
def one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def people(rows=1500, seed=0):
    """A table and its parts, numbered 2, 3 and 7; the size and the kind of a row depend on its part."""
    rng = np.random.default_rng(seed)
    part = rng.choice([2, 3, 7], rows, p=[0.7, 0.25, 0.05])
    size = np.where(rng.random(rows) < 0.5, 0, rng.integers(1, 40, rows) + 100 * (part == 7))
    kind = np.where(rng.random(rows) < np.where(part == 3, 0.9, 0.1), "x", "y")
    table = MixedTable.from_frame(pd.DataFrame({"kind": kind, "size": size}), ["size"], ["kind"])
    return table, part


def rows_of(seed=0, wanted=(3, 7), rows=400, settings=SETTINGS):
    table, part = people()
    fitted = generators.fit("vae", table, part, [*wanted], settings, np.random.default_rng(seed))
    return {key: fitted.sample(key, rows, np.random.default_rng((seed, key))) for key in wanted}


def test_each_part_gets_rows_like_its_own():
    table, part = people()
    for key, rows in rows_of(wanted=(2, 3, 7)).items():
        real = table.take(part == key)
        assert rows.schema == table.schema and len(rows) == 400 and rows.codes.dtype == np.int32
        assert np.isin(rows.numeric, table.numeric).all()
        assert rows.codes.mean() == pytest.approx(real.codes.mean(), abs=0.12)
        assert (rows.numeric == 0).mean() == pytest.approx(0.5, abs=0.15)
        assert ((rows.numeric > 100).sum() > 100) == (key == 7)


def test_parts_that_are_not_wanted_are_learnt_from_all_the_same():
    one, both = rows_of(wanted=(7,)), rows_of(wanted=(2, 7))
    assert np.array_equal(one[7].numeric, both[7].numeric) and np.array_equal(one[7].codes, both[7].codes)


def test_the_seed_alone_decides():
    one, two, other = (rows_of(seed, (3,), 200)[3] for seed in (0, 0, 1))
    assert one.numeric.tobytes() == two.numeric.tobytes() and one.codes.tobytes() == two.codes.tobytes()
    assert not np.array_equal(one.numeric, other.numeric) and not np.array_equal(one.codes, other.codes)


def test_a_whole_group_gets_labels_as_its_last_column():
    table, part = people()
    label = (np.random.default_rng(1).random(len(part)) < np.where(part == 7, 0.8, 0.2)).astype(int)
    table = table.with_category("label", label, ("0", "1"))
    fitted = vae.fit(table, part, [7], SETTINGS, np.random.default_rng(0))
    _, labels = fitted.sample(7, 1000, np.random.default_rng(0)).without_last_category()
    assert labels.mean() == pytest.approx(label[part == 7].mean(), abs=0.1)


def test_rows_are_drawn_in_several_matrices_where_there_are_more_than_fit_into_one(monkeypatch):
    seeds, sample = [], vae.sample_vae
    monkeypatch.setattr(vae, "ROWS_AT_ONCE", 150)
    monkeypatch.setattr(vae, "sample_vae", lambda *of: seeds.append((len(of[1]), of[2])) or sample(*of))
    assert len(rows_of(wanted=(3,), rows=400)[3]) == 400
    assert [rows for rows, _ in seeds] == [150, 150, 100] and len({seed for _, seed in seeds}) == 3
    assert len(rows_of(wanted=(3,), rows=0, settings=SETTINGS | {"steps": 2})[3]) == 0


def test_settings_reach_the_encoding_and_the_model():
    table, part = people()
    settings = SETTINGS | {"steps": 7, "frequent": 2, "layers": 2, "sampling": "balanced", "kl_weight": 0.5}
    fitted = vae.fit(table, part, [7], settings, np.random.default_rng(0))
    assert fitted.encoding.layout.sizes == (2,) and len(fitted.model.losses) == 7
    assert (fitted.model.settings.layers, fitted.model.settings.sampling, fitted.model.settings.kl_weight) == (
        2, "balanced", 0.5,
    )  # fmt: skip
    assert vae.fit(table, part, [7], SETTINGS | {"steps": 2}, np.random.default_rng(0)).encoding.layout.sizes == (2, 2)
    with pytest.raises(TypeError, match="step_size"):
        vae.fit(table, part, [7], SETTINGS | {"step_size": 7}, np.random.default_rng(0))
