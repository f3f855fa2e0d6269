"""Decode the chosen CelebA images on all cores into one uint8 array whose shorter side is 64."""

import hashlib
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


def downscale_faces(place: str | Path, row_ids: np.ndarray, output: str | Path, workers: int) -> str:
    """Write the images `row_ids` of a folder or zip archive to `output` (.npy, uint8 [n, 78, 64, 3]).

    Returns:
        The sha256 of the sha256 of all files that were read, in the order of `row_ids`.

    Raises:
        UserError: images are missing, damaged or of another size; the message counts them and names some.
    """
    chunks = [row_ids[start : start + CHUNK] for start in range(0, len(row_ids), CHUNK)]
    faults: list[str] = []
    digest = hashlib.sha256()
    # Written in chunks: with a memory map a full disk would end the process with a bus error.
    with atomic_path(output) as temporary, temporary.open("wb") as file:
        header = {"descr": "|u1", "fortran_order": False, "shape": (len(row_ids), SIZE[1], SIZE[0], 3)}
        np.lib.format.write_array_header_1_0(file, header)
        pool = joblib.Parallel(n_jobs=workers, return_as="generator")
        done = pool(joblib.delayed(downscale_chunk)(place, chunk) for chunk in chunks)
        for array, digests, wrong in progress(done, "downscaling", total=len(chunks), unit=f"x {CHUNK} images"):
            file.write(array.data)
            digest.update(b"".join(digests))
            faults += wrong
        if faults:
            raise UserError(
                f"faces.celeba: {place}: {len(faults):,} of {len(row_ids):,} images cannot be used: "
                f"{'; '.join(faults[:3])}; get these files again"
            )
    return digest.hexdigest()


def describe(used: int, available: int, sha256: str, png: bool = False) -> dict:
    """Return the content of dataset.json for `used` images of CelebA out of `available` at hand.

    `images_sha256` is what `downscale_faces` returns; the paper's numbers were not made from PNGs.
    """
    complete = used == IMAGES
    kind = "PNGs" if png else "JPEGs"
    return {
        "name": "CelebA" if complete else f"CelebA subset of {used:,}",
        "source": f"aligned and cropped {kind} of CelebA",
        "images": used,
        "images_sha256": sha256,
        "height": SIZE[1],
        "width": SIZE[0],
        "rendered": False,
        "comparable": complete and not png,
        "note": (
            f"All {IMAGES:,} CelebA images{', as PNGs; the paper read JPEGs' if png else ''}."
            if complete
            else f"CelebA subset of {used:,} images (of {available:,} at hand and {IMAGES:,} in all); "
            "not comparable with the paper."
        ),
    }


def run(place: str, accept_terms: bool, rows: str, outputs: dict[str, str], workers: int) -> None:
    """Write images, index and dataset description for the chosen rows."""
    require_terms(accept_terms)
    row_ids = read(rows)["row_id"].to_numpy()
    there = FaceImages(place)
    sha256 = downscale_faces(place, row_ids, outputs["images"], workers)
    write_index(row_ids, outputs["index"])
    write_dataset(describe(len(row_ids), len(there.row_ids), sha256, there.png), outputs["dataset"])
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
