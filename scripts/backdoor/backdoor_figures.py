"""Rule `backdoor_figures`: the figures of the study but its gallery, from released numbers alone."""

from collections.abc import Mapping
from pathlib import Path

from scripts.backdoor.figure_pictures import draw_norms, draw_search
from scripts.backdoor.figure_rates import draw_mitigations, draw_roc
from scripts.common import figures, parquet
from scripts.common.logs import job
from scripts.common.schemas.metrics import METRICS


def draw_all(given: Mapping[str, str], index: float, folder: Path) -> None:
    """Draw the figures into a folder."""
    metrics = parquet.read(given["metrics"], METRICS)
    labels, models, roc, traces = (parquet.read(given[name]) for name in ("labels", "models", "roc", "traces"))
    dataset = ", ".join(sorted(metrics["dataset"].unique()))
    with figures.style():
        for name, (canvas, plotted) in {
            "norms": draw_norms(labels, models, index, dataset),
            "mitigations": draw_mitigations(metrics),
            "roc": draw_roc(roc, models, index, dataset),
            "cost_and_norm": draw_search(traces, labels, dataset),
        }.items():
            figures.save(canvas, plotted, folder / name)


if "snakemake" in globals():
    with job(snakemake):
        draw_all(dict(snakemake.input.items()), snakemake.params.index, Path(snakemake.output[0]).parent)
