"""Rule `tradeoffs_draw`: all tables and figures but one in one job: each is drawn faster than a process starts."""

from pathlib import Path

from scripts.common.logs import job
from scripts.tradeoffs import figure_curves, figure_fairness, figure_robustness, figure_robustness_by_sex
from scripts.tradeoffs.tables import save_all

if "snakemake" in globals():
    with job(snakemake):
        files, params, out = snakemake.input, snakemake.params, snakemake.output
        pictures, tables = Path(out.figures[0]).parent, Path(out.tables[0]).parent
        threats, budget = params.threats, params.budget
        figure_fairness.draw_all(files.metrics, files.runs, files.frontiers, pictures)
        figure_robustness.draw_all(files.metrics, files.runs, pictures, threats[0], budget)
        figure_robustness_by_sex.draw_all(files.metrics, files.runs, pictures, threats, budget)
        figure_curves.draw_all(files.curves, files.runs, files.metrics, pictures)
        save_all(dict(files.items()), tables, threats[0], budget)
