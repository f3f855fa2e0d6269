"""Rule `claims_draw`: both figures of the verdicts in one job: each is drawn faster than a process starts."""

from pathlib import Path

from scripts.claims import figure_claims, figure_claims_by_study
from scripts.common.logs import job

if "snakemake" in globals():
    with job(snakemake):
        claims, folder = snakemake.input.claims, Path(snakemake.output.tolerance[0]).parent
        figure_claims.draw_all(claims, folder)
        figure_claims_by_study.draw_all(claims, snakemake.params.studies, folder)
