"""Decode the chosen CelebA JPEGs on all cores into one uint8 array whose shorter side is 64."""

from pathlib import Path

import joblib
import numpy as np

from scripts.common.errors import UserError
from scripts.common.files import atomic_path
from scripts.common.logs import job, log, progress
from scripts.common.parquet import read
from scripts.data.celeba import IMAGES
from scripts.data.decoding import SIZE, downscale_chunk
from scripts.data.images import FaceImages, require_terms, write_dataset, write_index

CHUNK = 256  # images per message between processes


def downscale_faces(place: str | Path, row_ids: np.ndarray, output: str | Path, workers: int) -> None:
    """Write the images `row_ids` of a folder or zip archive to `output` (.npy, uint8 [n, 78, 64, 3]).

    Raises:
        UserError: images are missing, damaged or of another size; the message counts them and names some.
    """
    chunks = [row_ids[start : start + CHUNK] for start in range(0, len(row_ids), CHUNK)]
    faults: list[str] = []
    # Written in chunks: with a memory map a full disk would end the process with a bus error.
    with atomic_path(output) as temporary, temporary.open("wb") as file:
        header = {"descr": "|u1", "fortran_order": False, "shape": (len(row_ids), SIZE[1], SIZE[0], 3)}
        np.lib.format.write_array_header_1_0(file, header)
        pool = joblib.Parallel(n_jobs=workers, return_as="generator")
        done = pool(joblib.delayed(downscale_chunk)(place, chunk) for chunk in chunks)
        for array, wrong in progress(done, "downscaling", total=len(chunks), unit=f"x {CHUNK} images"):
            file.write(array.data)
            faults += wrong
        if faults:
            raise UserError(
                f"faces.celeba: {place}: {len(faults):,} of {len(row_ids):,} images cannot be used: "
                f"{'; '.join(faults[:3])}; get these files again"
            )


def describe(used: int, available: int) -> dict:
    """Return the content of dataset.json for `used` images of CelebA out of `available` at hand."""
    complete = used == IMAGES
    return {
        "name": "CelebA" if complete else f"CelebA subset of {used:,}",
        "source": "aligned and cropped JPEGs of CelebA",
        "images": used,
        "height": SIZE[1],
        "width": SIZE[0],
        "rendered": False,
        "comparable": complete,
        "note": (
            f"All {IMAGES:,} CelebA images."
            if complete
            else f"CelebA subset of {used:,} images (of {available:,} at hand and {IMAGES:,} in all); "
            "not comparable with the paper."
        ),
    }


def run(place: str, accept_terms: bool, rows: str, outputs: dict[str, str], workers: int) -> None:
    """Write images, index and dataset description for the chosen rows."""
    require_terms(accept_terms)
    row_ids = read(rows)["row_id"].to_numpy()
    available = len(FaceImages(place).row_ids)
    downscale_faces(place, row_ids, outputs["images"], workers)
    write_index(row_ids, outputs["index"])
    write_dataset(describe(len(row_ids), available), outputs["dataset"])
    log.info("%d images of %s", len(row_ids), place)


if "snakemake" in globals():
    with job(snakemake):
        run(
            snakemake.params.images,
            snakemake.params.accept_terms,
            snakemake.input.rows,
            dict(snakemake.output.items()),
            snakemake.threads,
        )
