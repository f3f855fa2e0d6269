"""Figures of the study, and the explorer of costs."""

from collections.abc import Iterable, Mapping
from pathlib import Path

import pandas as pd

from scripts.common import figures
from scripts.encrypted.drawings.cost import draw_cost
from scripts.encrypted.drawings.logits import draw_logits
from scripts.encrypted.drawings.operations import draw_operations
from scripts.encrypted.drawings.packings import draw_packings
from scripts.encrypted.drawings.reconstruction import draw_reconstruction
from scripts.encrypted.drawings.reliability import draw_reliability
from scripts.encrypted.drawings.tfhe import draw_tfhe
from scripts.encrypted.explorer import write_explorer
from scripts.encrypted.labels import told_apart

DRAWINGS = {
    "cost": draw_cost,
    "packings": draw_packings,
    "reconstruction": draw_reconstruction,
    "reliability": draw_reliability,
    "logits": draw_logits,
    "operations": draw_operations,
    "tfhe": draw_tfhe,
}


def draw_all(frames: Mapping[str, pd.DataFrame], folder: Path, names: Iterable[str] = DRAWINGS) -> None:
    """Write the named figures, with `cost` its explorer, into `folder`."""
    frames = told_apart(frames)
    for name in names:
        with figures.style():
            figure, drawn = DRAWINGS[name](frames)
            figures.save(figure, drawn, folder / name)
        if name == "cost":
            write_explorer(frames, folder / "cost.html")
