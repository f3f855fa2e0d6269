"""Verdicts on the papers' claims if every tolerance were smaller or larger."""

from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from scripts.claims.counts import headline_claims
from scripts.claims.figure_claims_by_study import STYLE as ALL_STYLES
from scripts.claims.verdicts import NOT_REPRODUCED, NOT_TESTABLE, PARTLY, REPRODUCED, judge
from scripts.common import figures, parquet
from scripts.common.schemas.claims import CLAIMS

FACTORS = (0.0, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 4.0)
STYLE = {verdict: ALL_STYLES[verdict] for verdict in (REPRODUCED, PARTLY, NOT_REPRODUCED)}


def verdicts_at(claims: pd.DataFrame, factor: float) -> pd.Series:
    """Return the verdict of every testable claim if its tolerance were `factor` times as large."""
    names = ["rule", "value", "ci_low", "ci_high", "bound", "tolerance"]
    verdicts = [judge(*row[:5], row[5] * factor)[0] for row in claims[names].itertuples(index=False)]
    return pd.Series(verdicts, index=claims.index, dtype=object)


def counts(claims: pd.DataFrame) -> pd.DataFrame:
    """Return study, factor, verdict and the number of claims that have it, without those that cannot be tested here."""
    testable = claims[claims["verdict"] != NOT_TESTABLE]
    rows = []
    for factor in FACTORS:
        verdicts = verdicts_at(testable, factor)
        for study, of_study in verdicts.groupby(testable["study"]):
            rows += [(study, factor, verdict, int((of_study == verdict).sum())) for verdict in STYLE]
    return pd.DataFrame(rows, columns=["study", "factor", "verdict", "claims"])


def draw(claims: pd.DataFrame) -> tuple[Figure, pd.DataFrame]:
    """Draw stacked bars per factor, a panel per study; call it inside `figures.style()`.

    Only the claims and theorems of the papers are counted.

    Returns:
        The figure and the counts drawn.
    """
    studies = list(dict.fromkeys(claims["study"]))
    claims = headline_claims(claims)
    plotted = counts(claims)
    columns = min(3, len(studies))
    rows = -(-len(studies) // columns)
    figure, handles = figures.new_figure(max(7.0, 4.2 * columns), 1.2 + 2.9 * rows), {}
    for place, study in enumerate(studies):
        axes = figure.add_subplot(rows, columns, place + 1, title=study)
        rows_of_study = plotted[plotted["study"] == study]
        if rows_of_study.empty:
            figures.empty_note(axes, "no claim of a paper of this study can be tested on these results")
            continue
        wide = rows_of_study.pivot(index="factor", columns="verdict", values="claims").reindex(FACTORS)
        bottom = pd.Series(0, index=wide.index)
        for verdict, (colour, hatch) in STYLE.items():
            style = {"color": colour, "hatch": hatch, "edgecolor": "white", "linewidth": 0.5, "width": 0.85}
            handles[verdict] = axes.bar(range(len(wide)), wide[verdict], bottom=bottom, label=verdict, **style)
            for x, (low, height) in enumerate(zip(bottom, wide[verdict], strict=True)):
                if height:
                    box = {"facecolor": "white", "edgecolor": "none", "pad": 0.6, "alpha": 0.8}
                    axes.text(x, low + height / 2, str(height), ha="center", va="center", fontsize=9, bbox=box)
            bottom = bottom + wide[verdict]
        axes.axvline(FACTORS.index(1.0) + 0.5, color=figures.GREY, lw=0.8, ls=":")
        axes.axvline(FACTORS.index(1.0) - 0.5, color=figures.GREY, lw=0.8, ls=":")
        axes.set(xticks=range(len(FACTORS)), xticklabels=[f"{factor:g}" for factor in FACTORS])
        axes.set(xlabel="tolerance, times the one used", ylabel="claims of the papers")
        axes.yaxis.get_major_locator().set_params(integer=True)
        axes.grid(axis="x", visible=False)
    if handles:
        figures.legend_above(figure, handles, columns=3)
    left_out = int((claims["verdict"] == NOT_TESTABLE).sum())
    figures.footer(
        figure,
        "Claims and theorems of the papers, one verdict each (as published where both protocols have one); "
        f"{left_out} of {len(claims)} that these results cannot test are left out, and so are all claims of ours. "
        "Dotted: the tolerances used. A tolerance of zero is passed by orderings whose interval decides.",
    )
    return figure, plotted


def draw_all(claims_path: str, folder: str | Path) -> None:
    """Write `claims_by_tolerance.{png,pdf,parquet}` into `folder`."""
    claims = parquet.read(claims_path, CLAIMS)
    with figures.style():
        figures.save(*draw(claims), Path(folder) / "claims_by_tolerance")
