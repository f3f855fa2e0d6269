"""Rule `boosting_draw`: figures, explorer and tables in one job: each is drawn faster than a process starts."""

from pathlib import Path

from scripts.boosting.figures import draw_all
from scripts.boosting.tables import write_tables
from scripts.common.logs import job

if "snakemake" in globals():
    with job(snakemake):
        files, out = snakemake.input, snakemake.output
        pictures, tables = Path(out.figures[0]).parent, Path(out.tables[0]).parent
        drawn = ("summary", "rounds", "candidates", "masses", "facts", "stages")
        draw_all({name: files[name] for name in drawn}, pictures)
        written = ("summary", "comparisons", "golden", "stages")
        write_tables({name: files[name] for name in written}, tables)
