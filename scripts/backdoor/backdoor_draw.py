"""Rule `backdoor_draw`: all figures and tables of the study in one job: each is drawn faster than a process starts."""

from pathlib import Path

from scripts.backdoor.figures import draw_all
from scripts.backdoor.tables import write_tables
from scripts.common.logs import job

if "snakemake" in globals():
    with job(snakemake):
        files, params, out = snakemake.input, snakemake.params, snakemake.output
        pictures, tables = Path(out.figures[0]).parent, Path(out.tables[0]).parent
        draw_all(dict(files.items()), params.index, pictures)
        write_tables(dict(files.items()), tables)
