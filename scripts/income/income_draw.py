"""Rule `income_draw`: all figures and tables of the study in one job: each is drawn faster than a process starts."""

from pathlib import Path

from scripts.common.logs import job
from scripts.income.figures import draw_all
from scripts.income.tables import write_tables

if "snakemake" in globals():
    with job(snakemake):
        files, out = snakemake.input, snakemake.output
        pictures, tables = Path(out.figures[0]).parent, Path(out.tables[0]).parent
        draw_all(files.summary, files.swaps, pictures)
        write_tables(files.summary, files.comparisons, tables)
