"""Rule `leakage_draw`: all figures and tables of the study in one job: each is drawn faster than a process starts."""

from pathlib import Path

from scripts.common.logs import job
from scripts.leakage.figures import draw_all
from scripts.leakage.tables import write_tables

if "snakemake" in globals():
    with job(snakemake):
        files, params, out = snakemake.input, snakemake.params, snakemake.output
        pictures, tables = Path(out.figures[0]).parent, Path(out.tables[0]).parent
        draw_all(files.metrics, files.audit, files.queries, pictures, params.certify)
        write_tables(files.audit, files.theory, files.metrics, files.comparisons, tables)
