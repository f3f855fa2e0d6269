"""Draw the chosen faces from their real attribute rows, for use without photographs."""

import numpy as np
import pandas as pd

from scripts.common.errors import UserError
from scripts.common.files import atomic_path
from scripts.common.logs import job, log
from scripts.common.parquet import read
from scripts.data.celeba_names import ATTRIBUTES
from scripts.data.images import write_dataset, write_index
from scripts.data.rendering import render_faces


def attributes_of(attributes: pd.DataFrame, row_ids: np.ndarray) -> np.ndarray:
    """Return the attribute values of the given images, in their order (-1/+1, int8 [n, 40]).

    Raises:
        UserError: an image has no row.
    """
    values = attributes.set_index("row_id")[list(ATTRIBUTES)].reindex(row_ids)
    if values.isna().to_numpy().any():
        raise UserError(f"attributes: no row for image {row_ids[values.isna().any(axis=1)][0]}; rerun the workflow")
    return values.to_numpy(dtype=np.int8)


def run(rows: str, attributes: str, outputs: dict[str, str], workers: int) -> None:
    """Write images (uint8 [n, 64, 64, 3]), index and dataset description for the chosen rows."""
    row_ids = read(rows)["row_id"].to_numpy()
    images = render_faces(row_ids, attributes_of(read(attributes), row_ids), workers)
    with atomic_path(outputs["images"]) as temporary:
        np.save(temporary, images)
    write_index(row_ids, outputs["index"])
    write_dataset(describe(images), outputs["dataset"])
    log.info("%d faces", len(images))


def describe(images: np.ndarray) -> dict:
    """Return the content of dataset.json for rendered faces (uint8 [n, height, width, 3])."""
    count, height, width, _ = images.shape
    return {
        "name": "rendered faces",
        "source": "attribute rows of CelebA, drawn by scripts/data/rendering",
        "images": count,
        "height": height,
        "width": width,
        "rendered": True,
        "comparable": False,
        "note": f"{count:,} faces drawn from CelebA's attribute rows, no photographs; not comparable with the paper.",
    }


if "snakemake" in globals():
    with job(snakemake):
        run(
            snakemake.input.rows,
            snakemake.input.attributes,
            dict(snakemake.output.items()),
            snakemake.threads,
        )
