"""All figures of the study: of all fits, and of those that were chosen."""

from pathlib import Path

from scripts.common import figures, parquet
from scripts.common.schemas.metrics import METRICS
from scripts.frtrain import figure_curves, figure_groups, figure_methods, figure_seeds, figure_tradeoff


def draw_all(
    metrics_path: str,
    choices_path: str,
    groups_path: str,
    lambdas: dict,
    seeds: list[int],
    few_seeds: list[int],
    folder: Path,
) -> None:
    """Write every figure of the study into a folder.

    Args:
        metrics_path, choices_path, groups_path: Parquet files of the rules `frtrain_measure` and `frtrain_compare`.
        lambdas: FR-Train's grids by kind of labels.
        seeds, few_seeds: all seeds, and those of the curves.

    Raises:
        UserError: a file is missing or damaged, or holds no runs of a figure.
    """
    metrics = parquet.read(metrics_path, METRICS)
    printed = {labels: own["printed"] for labels, own in lambdas.items()}
    curves = figure_curves.curve_rows(metrics, printed["poisoned"], few_seeds)
    drawings = {
        "methods": lambda: figure_methods.draw(parquet.read(choices_path, METRICS)),
        "tradeoff": lambda: figure_tradeoff.draw(metrics, lambdas),
        "poisoning_rate": lambda: figure_curves.draw_rates(curves, printed["poisoned"]),
        "validation_size": lambda: figure_curves.draw_sizes(curves, printed["poisoned"]),
        "seed_spread": lambda: figure_seeds.draw(metrics, printed, seeds[0]),
        "two_groups": lambda: figure_groups.draw(parquet.read(groups_path)),
    }
    for name, draw in drawings.items():
        with figures.style():
            figures.save(*draw(), folder / name)
