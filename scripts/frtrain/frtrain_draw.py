"""Rule `frtrain_draw`: all figures and tables of the study in one job: each is drawn faster than a process starts."""

from pathlib import Path

from scripts.common import parquet
from scripts.common.logs import job
from scripts.common.schemas.comparisons import COMPARISONS
from scripts.common.schemas.metrics import METRICS
from scripts.frtrain.figures import draw_all
from scripts.frtrain.tables import save_all

if "snakemake" in globals():
    with job(snakemake):
        files, params, out = snakemake.input, snakemake.params, snakemake.output
        pictures, tables = Path(out.figures[0]).parent, Path(out.tables[0]).parent
        draw_all(files.metrics, files.choices, files.groups, params.lambdas, params.seeds, params.few_seeds, pictures)
        choices, comparisons = parquet.read(files.choices, METRICS), parquet.read(files.comparisons, COMPARISONS)
        save_all(choices, comparisons, tables)
