"""Rule `encrypted_checks_draw`: figures of errors and of what is kept, beside `encrypted_draw` on another core."""

from pathlib import Path

from scripts.common import parquet
from scripts.common.logs import job
from scripts.encrypted.figures import draw_all

if "snakemake" in globals():
    with job(snakemake):
        frames = {name: parquet.read(snakemake.input[name]) for name in snakemake.params.shown}
        draw_all(frames, Path(snakemake.output[0]).parent, snakemake.params.figures)
