"""All figures of the study, and the explorer of plans and generators."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from scripts.common import figures
from scripts.imbalance.drawings.cells import draw_cells
from scripts.imbalance.drawings.codes import draw_codes
from scripts.imbalance.drawings.dose import draw_dose
from scripts.imbalance.drawings.fidelity import draw_fidelity
from scripts.imbalance.drawings.forest import draw_forest
from scripts.imbalance.drawings.plane import draw_plane
from scripts.imbalance.explorer import write_explorer

DRAWINGS = {
    "cells": draw_cells,
    "forest": draw_forest,
    "codes": draw_codes,
    "plane": draw_plane,
    "dose": draw_dose,
    "fidelity": draw_fidelity,
}
NEEDED = ("summary", "comparisons", "splits", "counts", "quality", "facts")


def draw_all(frames: Mapping[str, pd.DataFrame], folder: Path) -> None:
    """Write all figures and the explorer into `folder`."""
    for name, draw in DRAWINGS.items():
        with figures.style():
            figure, drawn = draw(frames)
            figures.save(figure, drawn, folder / name)
    write_explorer(frames, folder / "plane.html")
