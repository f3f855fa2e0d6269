"""Rule `encrypted_decrypt`: what the client reads out of the server's replies, the logits of the test images."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from scripts.common import parquet
from scripts.common.logs import job
from scripts.encrypted import images
from scripts.encrypted.jobs import decrypt_parts
from scripts.encrypted.parcels import networks_of, parameters_of, write_costs


def write_logits(logits: Mapping[str, np.ndarray], index: str | Path, output: str | Path) -> None:
    """Write decrypted logits by setting: setting, row_id, logit_0, logit_1 ...; their noise differs in every run."""
    frame = images.read_index(index)
    row_ids = frame.loc[frame["split"] == "test", "row_id"].to_numpy()
    frames = [
        pd.DataFrame({"setting": name, "row_id": row_ids[: len(own)]}).assign(
            **{f"logit_{place}": column for place, column in enumerate(own.T)}
        )
        for name, own in logits.items()
    ]
    parquet.write(pd.concat(frames, ignore_index=True), output)


if "snakemake" in globals():
    with job(snakemake):
        files, chosen = snakemake.input, snakemake.params
        known, parameters = networks_of(files.networks, chosen.settings, chosen.seed), parameters_of(chosen.parameters)
        logits, rows = decrypt_parts(files.client, files.public, files.reply, known, parameters, chosen.packing)
        write_logits(logits, files.index, snakemake.output.logits)
        write_costs(rows, snakemake.output.costs)
