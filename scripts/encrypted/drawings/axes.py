"""Axes that several drawings share."""

from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

CLOSE = (1.0, 1.5, 2.0, 3.0, 5.0, 7.0)  # steps of an axis that spans less than SPAN
SPAN = 8.0


def log_axis(axes: Axes, which: str = "x", steps: tuple[float, ...] = (1.0, 3.0)) -> None:
    """Make an axis logarithmic with plain numbers at its ticks, the `steps` of each power of ten; call it when drawn.

    An axis that spans less than a power of ten has more of them.
    """
    axis = axes.xaxis if which == "x" else axes.yaxis
    axes.set(**{f"{which}scale": "log"})
    low, high = axes.get_xlim() if which == "x" else axes.get_ylim()
    axis.set_major_locator(LogLocator(10, subs=CLOSE if high / low < SPAN else steps))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.6g}"))
    axis.set_minor_formatter(NullFormatter())


def rows_axis(axes: Axes, names: list[str]) -> None:
    """Give an axis a named line per row, from above to below, without grid lines."""
    axes.set(ylim=(len(names) - 0.4, -0.6), yticks=range(len(names)), yticklabels=names)
    axes.grid(axis="y", visible=False)
    axes.tick_params(axis="y", length=0)
