"""Rule `label`: the synthetic accept/reject labels of the published study, for both protocols.

Recipe (reference code of the study): 40 standard normal weights from a fresh PCG64 generator, the
score is attributes . weights + bias with attributes -1/+1, the label a Bernoulli draw of
sigmoid(score) from the same generator, one uniform per row of the split.
"""

import numpy as np
import pandas as pd

from scripts.common import parquet
from scripts.common.errors import UserError
from scripts.data.celeba import published_test_indices
from scripts.data.celeba_names import ATTRIBUTES

SPLIT_NAMES = {0: "train", 1: "valid", 2: "test"}


def acceptance_probability(attributes: np.ndarray, seed: int, bias: float) -> np.ndarray:
    """Return P(accept) [N] for attributes [N, 40] in -1/+1.

    Raises:
        UserError: the attributes are not -1/+1; 0/1 would drop the acceptance rate from 42 % to 2 %.
    """
    if attributes.ndim != 2 or attributes.shape[1] != len(ATTRIBUTES) or not np.isin(attributes, (-1, 1)).all():
        raise UserError("label: attributes must be 40 columns of -1/+1; convert 0/1 by 2 * a - 1")
    weights = np.random.default_rng(seed).standard_normal(len(ATTRIBUTES))
    return 1 / (1 + np.exp(-(attributes @ weights + bias)))


def draw(probability: np.ndarray, seed: int) -> np.ndarray:
    """Return Bernoulli labels int8 [N]; the uniforms follow the 40 weights in the same generator."""
    generator = np.random.default_rng(seed)
    generator.standard_normal(len(ATTRIBUTES))
    return (probability > generator.uniform(size=len(probability))).astype(np.int8)


def as_published(attributes: pd.DataFrame, seed: int, bias: float) -> pd.DataFrame:
    """Return the published split and labels: 192,599 training and 10,000 test rows, no validation.

    Training and test labels each start the uniform stream anew; the test rows meet it in the order
    in which they were drawn, the training rows in the order of the file.
    """
    drawn = published_test_indices()
    others = np.setdiff1d(np.arange(len(attributes)), drawn)
    parts = []
    for split, rows in (("train", others), ("test", drawn)):
        part = attributes.iloc[rows]
        probability = acceptance_probability(part[list(ATTRIBUTES)].to_numpy(), seed, bias)
        parts.append(_labelled(part, split, probability, seed))
    return pd.concat(parts).sort_values("row_id", ignore_index=True)


def corrected(attributes: pd.DataFrame, partition: np.ndarray, seed: int, bias: float) -> pd.DataFrame:
    """Return the official partition with labels from one stream over all rows: no row has two labels."""
    probability = acceptance_probability(attributes[list(ATTRIBUTES)].to_numpy(), seed, bias)
    split = pd.Series(partition).map(SPLIT_NAMES).to_numpy()
    return _labelled(attributes, split, probability, seed)


def _labelled(rows: pd.DataFrame, split, probability: np.ndarray, seed: int) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "row_id": rows["row_id"].to_numpy(),
            "split": split,
            "label": draw(probability, seed),
            "probability": probability,
            "male": (rows["Male"].to_numpy() == 1).astype(np.int8),
        }
    )


def label(attributes_path: str, partitions_path: str, outputs: dict[str, str], seed: int, bias: float) -> None:
    """Write the labelled split of each protocol to Parquet: row_id, split, label, probability, male."""
    attributes = parquet.read(attributes_path)
    partition = parquet.read(partitions_path)["official"].to_numpy()
    frames = {
        "as_published": as_published(attributes, seed, bias),
        "corrected": corrected(attributes, partition, seed, bias),
    }
    for protocol, path in outputs.items():
        parquet.write(frames[protocol], path)


if "snakemake" in globals():
    from scripts.common.logs import job

    with job(snakemake):
        label(
            snakemake.input.attributes,
            snakemake.input.partitions,
            dict(snakemake.output.items()),
            snakemake.params.seed,
            snakemake.params.bias,
        )
