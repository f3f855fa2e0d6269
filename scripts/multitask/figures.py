"""Figures of the study, and the explorer of tasks and methods."""

from collections.abc import Iterable, Mapping
from pathlib import Path

import pandas as pd

from scripts.common import figures
from scripts.multitask.drawings.alignment import draw_alignment
from scripts.multitask.drawings.conflicts import draw_conflicts
from scripts.multitask.drawings.faults import draw_faults
from scripts.multitask.drawings.plane import draw_plane
from scripts.multitask.drawings.tasks import draw_tasks
from scripts.multitask.drawings.teacher import draw_teacher
from scripts.multitask.drawings.tree import draw_tree
from scripts.multitask.explorer import write_explorer

DRAWINGS = {
    "plane": draw_plane,
    "tasks": draw_tasks,
    "conflicts": draw_conflicts,
    "tree": draw_tree,
    "teacher": draw_teacher,
    "alignment": draw_alignment,
    "faults": draw_faults,
}


def draw_all(frames: Mapping[str, pd.DataFrame], folder: Path, names: Iterable[str] = DRAWINGS) -> None:
    """Write the named figures, with `tasks` its explorer, into `folder`."""
    for name in names:
        with figures.style():
            figure, drawn = DRAWINGS[name](frames)
            figures.save(figure, drawn, folder / name)
        if name == "tasks":
            write_explorer(frames, folder / "tasks.html")
