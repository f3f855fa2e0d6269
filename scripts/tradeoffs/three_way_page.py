"""The three-way scatter as one HTML file that needs no network: click a model, read its settings and metrics.

The table below the picture holds every model and is reached by keyboard; it is all that is left
where a browser cannot draw in three dimensions. Names from the data reach the page as escaped
HTML or as text nodes, never as markup.
"""

import re
from pathlib import Path

import pandas as pd
from plotly.offline import get_plotlyjs

from scripts.common import figures, html
from scripts.common.tables import UNDEFINED, format_number
from scripts.tradeoffs.attack_table import PUBLISHED, under
from scripts.tradeoffs.looks import CONSTANT_NAMES
from scripts.tradeoffs.model_points import PROTOCOLS
from scripts.tradeoffs.runs import CONSTANTS

PAGES = Path(__file__).parent / "html"
ADDED_STYLE = re.compile(r"""createElement\("style"\);.{0,120}?\.textContent='([^'\\]*)'""")
SETTING_WORDS = {
    "method": "method",
    "protocol": "protocol",
    "network": "network",
    "seed": "seed",
    "train_eps": "attack size in training (0: none)",
    "fairness_weight": "weight of the fairness penalty (0: none)",
    "selected_epoch": "epoch kept",
    "run": "name of the run",
}
COST_WORDS = {
    "error": "share of clean images judged wrongly",
    "under_attack": "share of images judged wrongly under attack",
    "gap": "gap between men and women in deserving people rejected",
}


def metric_words(threat: str) -> list[tuple[str, str, str, str]]:
    """Return what the panel shows besides the three costs: words, metric, subgroup, condition."""
    worst, published = under(threat), under(threat, PUBLISHED)
    return [
        ("right under attack, worst case of all attacks", "robust_accuracy", "all", worst),
        ("right under attack, published measure (APGD-CE)", "robust_accuracy", "all", published),
        ("right under attack, men", "robust_accuracy", "men", worst),
        ("right under attack, women", "robust_accuracy", "women", worst),
        ("deserving men rejected (FNR)", "false_negative_rate", "men", ""),
        ("deserving women rejected (FNR)", "false_negative_rate", "women", ""),
        ("undeserving men accepted (FPR)", "false_positive_rate", "men", ""),
        ("undeserving women accepted (FPR)", "false_positive_rate", "women", ""),
        ("men accepted", "selection_rate", "men", ""),
        ("women accepted", "selection_rate", "women", ""),
    ]


def with_interval(value: float, low: float, high: float) -> str:
    """Return "0.312 (95 % interval 0.291 to 0.333)", without the interval where there is none."""
    if pd.isna(value):
        return "not measured"
    if pd.isna(low) or pd.isna(high):
        return format_number(value)
    return f"{format_number(value)} (95 % interval {format_number(low)} to {format_number(high)})"


def plain(value: object) -> str:
    """Return a setting as text; a missing one as a dash."""
    return UNDEFINED if pd.isna(value) else f"{value:g}" if isinstance(value, float) else str(value)


def model_cards(points: pd.DataFrame, metrics: pd.DataFrame, runs: pd.DataFrame, threat: str) -> list[dict]:
    """Return for every model what the page knows of it, all of it text but the three coordinates."""
    keys = ["run", "metric", "subgroup", "condition"]
    test = metrics[metrics.split == "test"].set_index(keys)[["value", "ci_low", "ci_high"]]
    settings = runs.set_index("run", drop=False)
    order = [*(name for name in SETTING_WORDS if name in runs), *sorted(set(runs.columns) - {*SETTING_WORDS, "arm"})]
    cards = []
    for row in points.itertuples():
        costs = [
            (words, with_interval(*(getattr(row, name + end) for end in ("", "_low", "_high"))))
            for name, words in COST_WORDS.items()
        ]
        shown = [(words, (row.run, *key)) for words, *key in metric_words(threat)]
        others = [
            (words, with_interval(*test.loc[key]) if key in test.index else "not measured") for words, key in shown
        ]
        own = settings.loc[row.run]
        cards.append(
            {
                "name": row.method,
                "kind": row.arm if row.arm in CONSTANTS else "efficient" if row.pareto else "dominated",
                "protocol": row.protocol,
                "at": [row.error, row.under_attack, row.gap],
                "settings": [(SETTING_WORDS.get(name, name.replace("_", " ")), plain(own[name])) for name in order],
                "metrics": [*costs, *others],
            }
        )
    return cards


def table_rows(cards: list[dict]) -> list[dict]:
    """Rows of the table, in the order of the cards: protocol, name, efficient ("yes", "no", "constant"), costs."""
    rows = []
    for card in cards:
        constant = card["kind"] in CONSTANTS
        seed = dict(card["settings"]).get("seed", "")
        rows.append(
            {
                "protocol": card["protocol"],
                "name": card["name"] if constant else f"{card['name']} (seed {seed})",
                "efficient": "constant" if constant else "yes" if card["kind"] == "efficient" else "no",
                "costs": [format_number(value) for value in card["at"]],
            }
        )
    return rows


def plotly_needs(plotly: str) -> dict[str, str]:
    """Sources that plotly's script needs: the picture saved as PNG, and the styles that it adds as it starts."""
    styles = ["", *ADDED_STYLE.findall(plotly)]  # an empty one is filled later, rule by rule
    return {"img-src": "data: blob:", "style-src": " ".join(map(html.fingerprint, styles))}


def page(points: pd.DataFrame, metrics: pd.DataFrame, runs: pd.DataFrame, note: str, threat: str) -> str:
    """Return the whole page.

    Args:
        points: one row per model as `figure_three_way.three_costs` returns them.
        metrics, runs: the study's metrics and settings of those models.
        note: what the data is.
        threat: norm and size of the attack, such as linf_0.01.
    """
    cards = model_cards(points, metrics, runs, threat)
    norm, size = threat.split("_")
    kinds = {
        "efficient": {"name": "Pareto-efficient", "color": figures.ORANGE, "symbol": "circle", "size": 7},
        "dominated": {"name": "dominated", "color": figures.BLUE, "symbol": "diamond", "size": 5},
        "constant_reject": {
            "name": CONSTANT_NAMES["constant_reject"],
            "color": "#000000",
            "symbol": "cross",
            "size": 6,
        },
        "constant_accept": {"name": CONSTANT_NAMES["constant_accept"], "color": "#000000", "symbol": "x", "size": 5},
    }
    axes = ["error", f"error under attack ({norm}, {size})", "|FNR gap|"]
    present = [name for name in PROTOCOLS if (points.protocol == name).any()]
    plotly = get_plotlyjs()
    return html.page(
        html.environment(PAGES),
        "three_way.html.jinja",
        title="Error, robustness and fairness of every model",
        styles=["three_way.css"],
        scripts=["base.js", "three_way.js"],
        libraries=[plotly],
        data={"models": cards, "kinds": kinds, "axes": axes, "first": present[-1] if present else ""},
        allowed=plotly_needs(plotly),
        note=note,
        protocols={name: PROTOCOLS[name] for name in present},
        rows=table_rows(cards),
    )
