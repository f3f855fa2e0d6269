"""Rule `encrypted_draw`: figures of costs, explorer and tables."""

from pathlib import Path

from scripts.common import parquet
from scripts.common.logs import job
from scripts.encrypted.figures import draw_all
from scripts.encrypted.tables import write_tables

if "snakemake" in globals():
    with job(snakemake):
        frames = {name: parquet.read(snakemake.input[name]) for name in snakemake.params.shown}
        draw_all(frames, Path(snakemake.output.figures[0]).parent, snakemake.params.figures)
        write_tables(frames, Path(snakemake.output.tables[0]).parent)
