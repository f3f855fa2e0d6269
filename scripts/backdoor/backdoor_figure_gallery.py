"""Rule `backdoor_figure_gallery`: masks and triggers of all labels, from released numbers; a job of its own."""

from pathlib import Path

from scripts.backdoor.figure_pictures import draw_gallery
from scripts.common import figures, parquet
from scripts.common.logs import job
from scripts.common.schemas.metrics import METRICS


def draw(metrics: str, labels: str, masks: str, output: Path) -> None:
    """Draw the gallery."""
    dataset = ", ".join(sorted(parquet.read(metrics, METRICS)["dataset"].unique()))
    with figures.style():
        figures.save(*draw_gallery(parquet.read(masks), parquet.read(labels), dataset), output)


if "snakemake" in globals():
    with job(snakemake):
        given, output = snakemake.input, Path(snakemake.output[0])
        draw(given.metrics, given.labels, given.masks, output.with_suffix(""))
