"""The label recipe against the reference's check values."""

import numpy as np
import pandas as pd
import pytest

from scripts.common.errors import UserError
from scripts.data.celeba_names import ATTRIBUTES
from scripts.tradeoffs.tradeoffs_label import acceptance_probability, as_published, corrected, draw

SEED, BIAS = 1306, -5


def random_attributes(rows: int) -> pd.DataFrame:
    values = np.random.default_rng(0).choice(np.array([-1, 1], np.int8), (rows, 40))
    return pd.DataFrame(values, columns=list(ATTRIBUTES)).assign(row_id=np.arange(1, rows + 1))


def test_the_weights_are_the_published_ones():
    """Probing one attribute at a time reads the weights back from the probabilities."""
    base = -np.ones((1, 40))
    flipped = base - 2 * np.eye(40) * base
    score = np.log(1 / acceptance_probability(np.vstack([base, flipped]), SEED, BIAS) - 1) * -1
    weights = (score[1:] - score[0]) / 2
    assert weights[:5] == pytest.approx([-0.897374, 1.884877, -0.528856, 1.356323, -0.183829], abs=1e-6)
    assert weights[ATTRIBUTES.index("Male")] == pytest.approx(0.511298, abs=1e-6)
    assert weights.sum() == pytest.approx(-4.408, abs=5e-4)
    assert np.linalg.norm(weights) == pytest.approx(6.024, abs=5e-4)
    largest = {ATTRIBUTES[i]: round(weights[i], 2) for i in np.argsort(-weights)[:4]}
    assert largest == {"Arched_Eyebrows": 1.88, "Narrow_Eyes": 1.69, "Bags_Under_Eyes": 1.36, "Oval_Face": 1.10}


def test_uniforms_follow_the_weights_in_one_stream():
    probability = np.full(5, 0.5)
    generator = np.random.default_rng(SEED)
    generator.standard_normal(40)
    assert draw(probability, SEED).tolist() == [int(generator.random() < 0.5) for _ in range(5)]


@pytest.mark.parametrize("values", [(0, 1), (-1, 2)])
def test_attributes_other_than_minus_one_and_one_are_refused(values):
    wrong = np.tile(np.array(values), (3, 20))
    with pytest.raises(UserError, match="-1/\\+1"):
        acceptance_probability(wrong, SEED, BIAS)


def test_the_published_split_has_its_sizes_and_order():
    rows = random_attributes(202_599)
    split = as_published(rows, SEED, BIAS)
    assert split["split"].value_counts().to_dict() == {"train": 192_599, "test": 10_000}
    assert split["row_id"].is_monotonic_increasing and split["row_id"].is_unique
    # The first test index is 191809 (counting from 0): it meets the first uniform of the stream.
    first = split[split["row_id"] == 191_810].iloc[0]
    assert first["split"] == "test"
    assert first["label"] == draw(np.array([first["probability"]]), SEED)[0]
    assert split.loc[split["row_id"].isin([16_879, 173_711, 44_268, 155_439]), "split"].eq("test").all()


def test_the_corrected_split_is_the_official_partition_with_one_label_stream():
    rows = random_attributes(6)
    split = corrected(rows, np.array([0, 0, 0, 1, 1, 2]), SEED, BIAS)
    assert split["split"].tolist() == ["train", "train", "train", "valid", "valid", "test"]
    probability = acceptance_probability(rows[list(ATTRIBUTES)].to_numpy(), SEED, BIAS)
    assert split["label"].tolist() == draw(probability, SEED).tolist()
    assert split["male"].tolist() == (rows["Male"] == 1).astype(int).tolist()
