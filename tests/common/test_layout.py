"""Labels find room, empty figures say why, and numbers are written in points."""

import matplotlib.text
import numpy as np
import pytest
from matplotlib.transforms import Bbox

from scripts.common import figures, layout
from scripts.common.points import points


@pytest.mark.parametrize("halo", [False, True])
def test_labels_find_room_around_their_marks(halo):
    with figures.style():
        figure = figures.new_figure(4, 3)
        axes = figure.add_subplot(xlim=(0, 1), ylim=(0, 1))
        marks = [(0.5, 0.5), (0.52, 0.5), (0.5, 0.53)]
        layout.label_marks(axes, marks, [(*mark, "a label", "black") for mark in marks], halo=halo)
        renderer = figure.canvas.get_renderer()
        boxes = [matplotlib.text.Text.get_window_extent(text, renderer) for text in axes.texts]
    dots = axes.transData.transform(np.array(marks))
    assert not any(Bbox.intersection(a, b) for n, a in enumerate(boxes) for b in boxes[n + 1 :])
    assert not any(box.contains(*dot) for box in boxes for dot in dots)
    assert all(bool(text.get_path_effects()) == halo for text in axes.texts)


def test_a_figure_without_data_says_why():
    with figures.style():
        figure, numbers = layout.without_data("No rows in these results.", ["a", "b"])
    assert figure.axes[0].texts[0].get_text() == "No rows in these results."
    assert numbers.empty and list(numbers.columns) == ["a", "b"]


def test_points_of_a_percent():
    assert points(0.1814) == "18.1" and points(-0.037, signed=True) == "−3.7"
    assert points(-0.0001, signed=True) == "0.0" == points(-0.0004) and points(0.005, 0, signed=True) == "0"
    assert points(0.25, 0) == "25" and points(0.012, signed=True) == "+1.2"
