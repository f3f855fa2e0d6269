"""Rule `encrypted_encrypt`: what the client sends, the numbers of test images as ciphertexts."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from scripts.common.logs import job
from scripts.encrypted import images, numbers
from scripts.encrypted.ckks import Parameters
from scripts.encrypted.jobs import Part, encrypt_parts
from scripts.encrypted.network import Network
from scripts.encrypted.parcels import networks_of, parameters_of, write_costs
from scripts.encrypted.settings import setting_of


def test_rows(index: str | Path, most: int | None) -> np.ndarray:
    """Return the places of the first test images of an index, at most `most`."""
    return np.flatnonzero(images.read_index(index)["split"] == "test")[:most]


def encrypt(
    paths: Mapping[str, str],
    settings: Sequence[str],
    known: Mapping[str, Network],
    parameters: Parameters,
    packing: str,
    most: int | None,
    output: str | Path,
) -> list[dict]:
    """Write the ciphertexts of the test images for every setting; return seconds and bytes.

    Args:
        paths: index, numbers, client, public (the server's, whose digest names them).
        most: images at most; None for all.
    """
    rows = test_rows(paths["index"], most)
    parts = [Part(name, numbers.read(paths["numbers"], setting_of(name), rows), known[name]) for name in settings]
    return encrypt_parts(paths["client"], paths["public"], parts, parameters, packing, output)


if "snakemake" in globals():
    with job(snakemake):
        files, chosen = snakemake.input, snakemake.params
        rows = encrypt(
            dict(files.items()),
            chosen.settings,
            networks_of(files.networks, chosen.settings, chosen.seed),
            parameters_of(chosen.parameters),
            chosen.packing,
            chosen.most,
            snakemake.output.sent,
        )
        write_costs(rows, snakemake.output.costs)
