"""How much a printed row depends on its seed: FR-Train at the printed lambdas, with parts switched off and on."""

from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from scripts.common import figures
from scripts.common.published import values
from scripts.frtrain.points import ACCURACY, DI, FLOOR, require_rows

PUBLISHED = Path(__file__).with_name("published.yaml")
VARIANTS = {  # (labels, variant) -> words
    ("clean", "standard"): "clean,\nas printed",
    ("clean", "attached"): "clean,\n$D_R$ gradient on",
    ("poisoned", "standard"): "poisoned,\nas printed",
    ("poisoned", "no_weights"): "poisoned,\nno row weights",
    ("poisoned", "no_gradient"): "poisoned,\n$D_R$ gradient off",
    ("poisoned", "all_rows"): "poisoned,\n2,000 rows",
}
COLUMNS = ["labels", "variant", "seed", "metric", "value"]


def spread_rows(metrics: pd.DataFrame, printed: dict[str, float]) -> pd.DataFrame:
    """Return FR-Train's test metrics at the printed lambdas: labels, variant, seed, metric, value, n."""
    own = metrics[(metrics.dataset == "synthetic") & (metrics.method == "FR-Train") & (metrics.split == "test")]
    own = own[(own.notion == "parity") & (own.rule == "targeted") & (own.clean_rows == 200) & (own.subgroup == "all")]
    own = own[((own.labels == "clean") | (own.rate == 0.1)) & (own.knob == own.labels.map(printed))]
    return require_rows(own[own.metric.isin([ACCURACY, DI])], "FR-Train at the printed lambdas")[[*COLUMNS, "n"]]


def draw(metrics: pd.DataFrame, printed: dict[str, float], first_seed: int) -> tuple[Figure, pd.DataFrame]:
    """Draw one dot per seed and variant; call it inside `figures.style()`.

    Returns:
        The figure and the numbers drawn: labels, variant, seed, metric, value.

    Raises:
        UserError: there are no such runs.
    """
    rows = spread_rows(metrics, printed)
    present = [key for key in VARIANTS if ((rows.labels == key[0]) & (rows.variant == key[1])).any()]
    figure = figures.new_figure(10.5, 7.4)
    handles, slides = {}, values(PUBLISHED, "synthetic")["FR-Train"]
    for line, (metric, words) in enumerate(((ACCURACY, "accuracy"), (DI, "disparate impact"))):
        axes = figure.add_subplot(2, 1, line + 1, ylabel=f"{words} on the test rows")
        for place, (labels, variant) in enumerate(present):
            own = rows[(rows.labels == labels) & (rows.variant == variant) & (rows.metric == metric)].sort_values(
                "seed"
            )
            aside = np.linspace(-0.22, 0.22, len(own)) if len(own) > 1 else np.zeros(1)
            first = (own.seed == first_seed).to_numpy()
            handles["another seed"] = axes.scatter(
                place + aside[~first], own.value[~first], s=24, color=figures.SKY, zorder=3
            )
            handles[f"seed {first_seed}, the printed one"] = axes.scatter(
                place + aside[first], own.value[first], s=50, marker="s", color=figures.VERMILION, zorder=4
            )
            (handles["mean over seeds"],) = axes.plot(
                [place - 0.32, place + 0.32], [own.value.mean()] * 2, color=figures.BLUE, lw=2.4, zorder=3
            )
            target = slides[labels][words.replace(" ", "_")]
            (handles["printed in the study's slides"],) = axes.plot(
                [place - 0.45, place + 0.45], [target] * 2, color=figures.BLACK, lw=1.2, ls=":", zorder=2
            )
        if metric == DI:
            axes.axhline(FLOOR, color="#808080", lw=1.0, ls="--", zorder=1)
        axes.set_xticks(range(len(present)), [VARIANTS[key] for key in present] if line else [""] * len(present))
        axes.tick_params(axis="x", labelsize=9.5)
        axes.grid(axis="x", visible=False)
    figures.legend_above(figure, handles, columns=4)
    lambdas = ", ".join(f"{value:g} ({labels})" for labels, value in printed.items())
    figures.footer(
        figure,
        f"synthetic data; n = {int(rows.n.max()):,} test rows; {rows.seed.nunique()} seeds of the initial weights, "
        f"the same data; printed lambda_f = {lambdas}; dashed: disparate impact 0.8. The published clean loop gives "
        "the classifier no gradient from the robustness discriminator $D_R$.",
    )
    return figure, rows[COLUMNS]
