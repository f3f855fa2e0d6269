"""Titles, colours and selections that figures, tables and the explorer share; imports no matplotlib."""

from pathlib import Path

import pandas as pd

from scripts.common import colours
from scripts.common.interval_kinds import in_words
from scripts.common.published import read_published
from scripts.imbalance import plans
from scripts.imbalance.generators import BOOTSTRAP, GENERATORS
from scripts.imbalance.names import CORRECTED, DUPLICATE_ALL, MAIN, NO_PLAN, REAL, REWEIGHING, WEIGHTS

PUBLISHED = Path(__file__).with_name("published.yaml")
GAP, BALANCED, ODDS = "demographic_parity_difference", "balanced_accuracy", "equalized_odds_sum"
METRICS = {  # metric: title
    "accuracy": "accuracy",
    "f1_score": "F1",
    BALANCED: "balanced accuracy",
    "roc_auc": "ROC AUC",
    "brier_score": "Brier score",
    ODDS: "equalized odds, sum",
    "equalized_odds_difference": "equalized odds, max",
    GAP: "demographic parity difference",
    "equal_opportunity_difference": "equal opportunity difference",
    "demographic_parity_ratio": "demographic parity ratio",
}
QUALITY = {  # metric: title
    "exact_copy_fraction": "exact copies of training rows",
    "closest_record_distance_ratio": "closest-record distance ratio",
    "real_synthetic_roc_auc": "ROC AUC, real against synthetic",
    "marginal_distance": "distance of marginals",
    "association_distance": "distance of associations",
}
PLAN_TITLES = {NO_PLAN: "real rows", **plans.TITLES}
PLAN_COLOURS = {
    plans.CLASS: colours.VERMILION,
    plans.CLASS_PROTECTED: colours.ORANGE,
    plans.PROTECTED: colours.GREEN,
    plans.SAME_CLASS: colours.BLUE,
    NO_PLAN: colours.BLACK,
}
GENERATOR_TITLES = {name: entry.title for name, entry in GENERATORS.items()} | {
    BOOTSTRAP: "copies (bootstrap)",
    WEIGHTS: "row weights",
    REAL: "real rows alone",
    REWEIGHING: "reweighing",
    DUPLICATE_ALL: "all rows twice",
}
MARKERS = {
    "cart": "^",
    "copula": "D",
    "smote_nc": "v",
    "vae": "P",
    BOOTSTRAP: "o",
    WEIGHTS: "s",
    REAL: "*",
    REWEIGHING: "X",
    DUPLICATE_ALL: "d",
}
CONTROLS = (BOOTSTRAP, WEIGHTS, REWEIGHING, DUPLICATE_ALL)
PUBLISHED_GROUPS = {  # (dataset, attributes): group of published.yaml
    ("AdultCensus", "sex"): "adult_sex",
    ("AdultCensus", "sex x race"): "adult_sex_race",
    ("Credit", "sex"): "credit_sex",
    ("Dutch Census", "sex"): "dutch_sex",
    ("German", "sex"): "german_sex",
}
PUBLISHED_GENERATORS = {"gc": "copula", "tvae": "vae", "cart": "cart", "smote": "smote_nc"}  # ours of the same kind
PUBLISHED_TITLES = {
    "gc": "Gaussian copula (sdv)",
    "ctgan": "CTGAN",
    "tvae": "TVAE",
    "cart": "CART (synthpop)",
    "smote": "SMOTE-NC",
    "tabfairgan": "TabFairGAN",
}

Place = tuple[str, str]  # dataset and attributes


def plan_title(plan: str) -> str:
    """Return the words for a plan; an unknown one keeps its name."""
    return PLAN_TITLES.get(plan, plan)


def generator_title(generator: str) -> str:
    """Return the words for a generator or control; an unknown one keeps its name."""
    return GENERATOR_TITLES.get(generator, generator)


def method_title(plan: str, generator: str) -> str:
    """Return "class ratio, CART"; a control without a plan stands alone."""
    return generator_title(generator) if plan == NO_PLAN else f"{plan_title(plan)}, {generator_title(generator)}"


def is_control(generators: pd.Series) -> pd.Series:
    """Return which rows are of a control: no generator, or one that only copies rows."""
    return generators.isin(CONTROLS)


def places(frame: pd.DataFrame) -> list[Place]:
    """Return (dataset, attributes) in the order of the frame."""
    return list(dict.fromkeys(zip(frame["dataset"], frame["attributes"], strict=True)))


def at(frame: pd.DataFrame, place: Place) -> pd.DataFrame:
    """Return the rows of one dataset and its attributes."""
    return frame[(frame["dataset"] == place[0]) & (frame["attributes"] == place[1])]


def place_title(place: Place) -> str:
    """Return "AdultCensus, sex"."""
    return ", ".join(place)


def main_runs(frame: pd.DataFrame, protocol: str | None = CORRECTED) -> pd.DataFrame:
    """Return the rows of whole plans without a sensitivity check, of one protocol (None: all)."""
    rows = frame[(frame["dose"] == 1.0) & (frame["variant"] == MAIN)]
    return rows if protocol is None else rows[rows["protocol"] == protocol]


def in_order(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the rows by dataset, plan and generator; no plan comes first, and controls before generators."""
    first = [REAL, *CONTROLS]
    known = {
        "plan": list(PLAN_TITLES),
        "generator": [*first, *(name for name in GENERATOR_TITLES if name not in first)],
    }
    order = {"dataset": list(rows["dataset"].unique()), "attributes": list(rows["attributes"].unique())}
    for column, names in known.items():
        order[column] = [*names, *sorted(set(rows[column]) - set(names))]
    numbers = {column: {name: place for place, name in enumerate(names)} for column, names in order.items()}
    return rows.sort_values(list(order), key=lambda column: column.map(numbers[column.name]), kind="stable")


def published_numbers(place: Place, deviations: bool = False) -> dict[str, dict[str, float]]:
    """Return the published means, or standard deviations, by published method and metric; {} where there are none."""
    dataset, attributes = place
    group = PUBLISHED_GROUPS.get((dataset.partition(", ")[0], attributes), "")  # "Credit, 10,000 rows" is Credit
    return read_published(PUBLISHED).get(f"{group}_sd" if deviations else group, {}).get("values", {})


def published_method(plan: str, generator: str) -> str:
    """Return the published method of the same plan and kind of generator: "same_class tvae" for our VAE."""
    named = {ours: theirs for theirs, ours in PUBLISHED_GENERATORS.items()}
    theirs = named.get(generator, generator)
    return theirs if plan == NO_PLAN else f"{plan} {theirs}"


def data_note(facts: pd.DataFrame, shown: list[Place], rows: pd.DataFrame) -> str:
    """Return what a figure's numbers rest on: datasets with rows, splits, kind of interval.

    Args:
        rows: what is drawn, with `interval` and `seeds` where it has them.
    """
    parts = []
    for place in shown:
        for row in at(facts, place).itertuples():
            held = f"{row.train_rows:,} training and {row.test_rows:,} test rows per split"
            parts.append(f"{place_title(place)}: {held}")
    if "seeds" in rows and len(rows):
        low, high = int(rows["seeds"].min()), int(rows["seeds"].max())
        parts.append(f"mean of {low if low == high else f'{low} to {high}'} splits")
    if "interval" in rows:
        parts.append(in_words(rows["interval"]))
    return "; ".join(parts) + "."
