"""Choose the images to use: a given number of each part of the split, among the available ones."""

from pathlib import Path

import numpy as np
import pandas as pd

from scripts.common.errors import UserError
from scripts.common.logs import job, log
from scripts.common.parquet import read, write
from scripts.common.seeds import seed_from
from scripts.data.celeba import TEST, TRAIN, VALID
from scripts.data.images import FaceImages, require_terms


def choose_rows(
    partitions: pd.DataFrame, counts: dict[str, int | None], seed: int, available: np.ndarray | None = None
) -> np.ndarray:
    """Return the chosen image numbers, sorted (int64).

    Images are drawn without replacement from four groups: the published test images, and all others by
    their official part. A larger count keeps the images of a smaller one, and a group's count does not
    affect the choice in another group.

    Args:
        partitions: row_id, official, published, as `celeba_partitions` writes them.
        counts: published_test, train, valid, test; None = all.
        available: numbers of the images at hand, where a count that is too large takes all of them;
            None = all 202,599, where it is an error.

    Raises:
        UserError: more images are asked for than exist, or a group has no image.
    """
    published = partitions["published"] == 1
    groups = {
        "published_test": published,
        "train": ~published & (partitions["official"] == TRAIN),
        "valid": ~published & (partitions["official"] == VALID),
        "test": ~published & (partitions["official"] == TEST),
    }
    at_hand = np.ones(len(partitions), dtype=bool) if available is None else partitions["row_id"].isin(available)
    chosen = []
    for group, members in groups.items():
        rows = partitions.loc[members & at_hand, "row_id"].to_numpy()
        wanted = len(rows) if counts[group] is None else counts[group]
        if wanted > len(rows):
            if available is None:
                raise UserError(f"faces.rows.{group}: {wanted:,} images are asked for, {len(rows):,} exist")
            log.warning("faces.rows.%s: %d images are asked for, %d are there: all are taken", group, wanted, len(rows))
        if len(rows) == 0 and counts[group] != 0:
            raise UserError(f"faces.rows.{group}: the image folder has no image of this part; add some")
        order = np.random.default_rng(seed_from(seed, "faces.rows", group)).permutation(len(rows))
        chosen.append(rows[order[:wanted]])
        log.info("%s: %d of %d images", group, len(chosen[-1]), len(rows))
    rows = np.sort(np.concatenate(chosen)).astype(np.int64)
    if len(rows) == 0:
        raise UserError("faces.rows: every part is 0, so there is no image to work with")
    return rows


def write_rows(
    partitions: str | Path, output: str | Path, counts: dict, seed: int, images: str | None, accept_terms: bool
) -> None:
    """Write the chosen `row_id`s. `images` is the folder or zip of CelebA's JPEGs; None for rendered faces."""
    available = None
    if images is not None:
        require_terms(accept_terms)
        available = FaceImages(images).row_ids
    rows = choose_rows(read(partitions), counts, seed, available)
    write(pd.DataFrame({"row_id": rows}), output)


if "snakemake" in globals():
    with job(snakemake):
        write_rows(
            snakemake.input.partitions,
            snakemake.output[0],
            snakemake.params.rows,
            snakemake.params.seed,
            snakemake.params.images,
            snakemake.params.accept_terms,
        )
