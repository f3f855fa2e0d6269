"""All figures of the study, from released numbers alone."""

from collections.abc import Mapping
from pathlib import Path

from scripts.backdoor.figure_pictures import draw_gallery, draw_norms, draw_search
from scripts.backdoor.figure_rates import draw_mitigations, draw_roc
from scripts.common import figures, parquet
from scripts.common.schemas.metrics import METRICS


def draw_all(given: Mapping[str, str], index: float, folder: Path) -> None:
    """Draw the figures into a folder."""
    metrics = parquet.read(given["metrics"], METRICS)
    names = ("labels", "models", "roc", "traces")
    labels, models, roc, traces = (parquet.read(given[name]) for name in names)
    dataset = ", ".join(sorted(metrics["dataset"].unique()))
    with figures.style():
        for name, (canvas, plotted) in {
            "norms": draw_norms(labels, models, index, dataset),
            "mitigations": draw_mitigations(metrics),
            "roc": draw_roc(roc, models, index, dataset),
            "cost_and_norm": draw_search(traces, labels, dataset),
            "gallery": draw_gallery(parquet.read(given["masks"]), labels, dataset),
        }.items():
            figures.save(canvas, plotted, folder / name)
