"""Rule `backdoor_pools`: which digit serves what; the pools of the defender and of the judge share no image."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from scripts.common import parquet
from scripts.common.errors import UserError
from scripts.common.logs import job, log
from scripts.common.seeds import seed_from


def make_pools(index: pd.DataFrame, settings: Mapping) -> pd.DataFrame:
    """Return row_id, label, pool and unlearning for every digit, in the order of a shuffle by the seed.

    Pools: `evaluation` (the judge's images: the official test part where there is one, else drawn), `reverse` (clean
    images on which triggers are sought, drawn from what is left) and `train` (all others). `unlearning` marks the
    share of the training rows that the defender may train on; as published, these are training images.

    Raises:
        UserError: a pool is larger than the data, or leaves nothing to train on.
    """
    order = np.random.default_rng(seed_from("backdoor", "pools", settings["seed"])).permutation(len(index))
    frame = index.iloc[order].reset_index(drop=True)
    wanted, reverse = settings["evaluation"], settings["reverse"]
    tests = np.flatnonzero(frame["part"] == "test") if (frame["part"] == "test").any() else np.arange(len(frame))
    if wanted is not None and wanted > len(tests):
        raise UserError(f"backdoor.pools.evaluation: {wanted:,} images asked for, but the data holds {len(tests):,}")
    if wanted is None and len(tests) == len(frame):
        raise UserError(
            "backdoor.pools.evaluation: null takes the official test part, which this data lacks; set a number"
        )
    pool = np.full(len(frame), "train", dtype=object)
    pool[tests] = "unused" if len(tests) < len(frame) else "train"
    pool[tests[:wanted]] = "evaluation"
    left = np.flatnonzero(pool == "train")
    if reverse > len(left):
        raise UserError(f"backdoor.pools.reverse: {reverse:,} images asked for, but only {len(left):,} are left")
    pool[left[:reverse]] = "reverse"
    train = left[reverse:]
    many = round(settings["unlearning_share"] * len(train))
    if not many:
        raise UserError(
            f"backdoor.pools: {len(train):,} images are left to train on, none of them to unlearn with; shrink a pool"
        )
    unlearning = np.zeros(len(frame), bool)
    unlearning[train[:many]] = True
    log.info("%s; %d for unlearning", pd.Series(pool).value_counts().to_dict(), many)
    return frame[["row_id", "label"]].assign(pool=pool.astype(str), unlearning=unlearning)


def write_pools(index: str | Path, settings: Mapping, output: str | Path) -> None:
    """Write the pools."""
    parquet.write(make_pools(parquet.read(index), settings), output)


if "snakemake" in globals():
    with job(snakemake):
        write_pools(snakemake.input.index, snakemake.params.settings, snakemake.output[0])
