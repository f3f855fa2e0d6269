"""Verdicts on the claims of each study's papers, one bar per study."""

from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from scripts.claims.counts import headline_counts
from scripts.claims.verdicts import NOT_REPRODUCED, NOT_TESTABLE, PARTLY, REPRODUCED, VERDICTS
from scripts.common import figures, parquet
from scripts.common.schemas.claims import CLAIMS

STYLE = {  # colour, hatch; the hatch distinguishes verdicts without colour
    REPRODUCED: (figures.GREEN, ""),
    PARTLY: (figures.YELLOW, "..."),
    NOT_REPRODUCED: (figures.VERMILION, "///"),
    NOT_TESTABLE: ("#D9D9D9", "xx"),
}


def title(counts: pd.DataFrame) -> str:
    """Return the title of the figure: how many of the testable claims of the papers hold."""
    sums = counts[list(VERDICTS)].sum()
    testable = int(sums.drop(NOT_TESTABLE).sum())
    return f"{sums[REPRODUCED]} of {testable} testable claims of the papers hold, {sums[PARTLY]} more in part"


def draw(claims: pd.DataFrame, studies: list[str]) -> tuple[Figure, pd.DataFrame]:
    """Draw one stacked horizontal bar per study, the first on top; call it inside `figures.style()`.

    Args:
        studies: the order of the bars; a study without claims of a paper has an empty one.

    Returns:
        The figure and the numbers drawn: study, verdict, claims.
    """
    counts = headline_counts(claims).set_index("study").reindex(studies, fill_value=0)
    figure, handles = figures.new_figure(9.0, 1.7 + 0.52 * len(studies)), {}
    axes = figure.add_subplot(1, 1, 1)
    places, left = range(len(studies)), pd.Series(0, index=counts.index)
    for verdict, (colour, hatch) in STYLE.items():
        style = {"color": colour, "hatch": hatch, "edgecolor": "white", "linewidth": 0.5, "height": 0.7}
        handles[verdict] = axes.barh(places, counts[verdict], left=left, **style)
        for place, (start, width) in enumerate(zip(left, counts[verdict], strict=True)):
            if width:
                box = {"facecolor": "white", "edgecolor": "none", "pad": 0.8, "alpha": 0.85}
                axes.text(start + width / 2, place, str(width), ha="center", va="center", fontsize=9, bbox=box)
        left = left + counts[verdict]
    axes.set(yticks=places, yticklabels=studies, xlabel="claims of the papers", xlim=(0, max(1, left.max()) * 1.02))
    axes.invert_yaxis()
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.grid(axis="y", visible=False)
    axes.set_title(title(counts), loc="left")
    figures.legend_above(figure, handles, columns=len(STYLE))
    figures.footer(
        figure,
        "Claims and theorems of the papers, one verdict each: as published where a claim is tested in both protocols. "
        "Not testable here: these results lack what the claim is about. Claims of ours are not counted.",
    )
    numbers = counts[list(VERDICTS)].reset_index()
    drawn = numbers.melt("study", var_name="verdict", value_name="claims")
    return figure, drawn


def draw_all(claims_path: str, studies: list[str], folder: str | Path) -> None:
    """Write `claims_by_study.{png,pdf,parquet}` into `folder`."""
    claims = parquet.read(claims_path, CLAIMS)
    with figures.style():
        figures.save(*draw(claims, studies), Path(folder) / "claims_by_study")
