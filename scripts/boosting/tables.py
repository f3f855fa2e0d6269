"""The package's numbers, the published table, all arms, paired differences, two stages."""

from pathlib import Path

import numpy as np
import pandas as pd

from scripts.boosting.looks import (
    COMBINATIONS,
    KEYS,
    MEASURES_ONE,
    MEASURES_SEVERAL,
    attribute_in,
    is_single,
    labelled,
    need,
    of_measure,
)
from scripts.boosting.measures import UNDECIDED, WORST
from scripts.boosting.notions import ODDS, ODDS_SUM, OPPORTUNITY, PARITY
from scripts.common import parquet
from scripts.common.interval_kinds import in_words
from scripts.common.published import values
from scripts.common.schemas.metrics import EVERYONE, NO_ATTRIBUTE
from scripts.common.tables import UNDEFINED, format_interval, format_number, save_table

PUBLISHED = Path(__file__).with_name("published.yaml")
STAGES = {  # metric, attribute, condition: words
    ("accuracy", NO_ATTRIBUTE, ""): "accuracy",
    (PARITY, "first", "stage=1"): "shortlist, gap by the first",
    (PARITY, "second", "stage=2"): "hire among the shortlisted, gap by the second",
    (PARITY, "first", ""): "end to end, gap by the first",
    (PARITY, "second", ""): "end to end, gap by the second",
    (PARITY, "first x second", ""): "end to end, all combinations",
}
PACKAGE = {"rounds_kept": "theta", PARITY: "SP", OPPORTUNITY: "EOpp", ODDS_SUM: "DM"}  # the package's own words


def package_table(golden: pd.DataFrame) -> pd.DataFrame:
    """Return one row per class of the published package: its numbers and ours, to four decimals."""
    rows = []
    for model, own in golden.groupby("model", sort=False):
        row = {"model": model}
        for entry in own.itertuples():
            digits = 0 if entry.metric == "rounds_kept" else 4
            row[PACKAGE.get(entry.metric, entry.metric)] = f"{entry.published:.{digits}f} / {entry.value:.{digits}f}"
        rows.append(row | {"test rows": int(own["n"].iloc[0])})
    return pd.DataFrame(rows)


def plus_minus(row: pd.Series | None) -> str:
    """Return mean and standard deviation over splits, as the paper gives them; a dash where there is none."""
    if row is None:
        return UNDEFINED
    return f"{format_number(row['value'])} ± {format_number(row['deviation'])}"


def published_table(summary: pd.DataFrame) -> pd.DataFrame:
    """Return AdaFair's published table with ours beside it, and our rows that it lacks left out."""
    chosen = {"accuracy": ("accuracy", NO_ATTRIBUTE), "balanced accuracy": ("balanced_accuracy", NO_ATTRIBUTE)}
    chosen |= {"equalized odds, sum": (ODDS_SUM, WORST)}
    published = {"accuracy": "accuracy", "balanced accuracy": "balanced_accuracy", "equalized odds, sum": "gap"}
    rows = []
    for data, methods in values(PUBLISHED, "cikm_2019").items():
        dataset, attribute = data.split(", ")
        for method, numbers in methods.items():
            row = {"data": data, "method": method}
            for title, key in chosen.items():
                own = of_measure(summary, *key)
                own = own[own["dataset"].str.startswith(dataset) & (own["attributes"] == attribute)]
                own = own[(own["method"] == method) & (own["protocol"] == "as_published")]
                row[f"{title}, published"] = format_number(numbers.get(published[title], np.nan))
                row[f"{title}, ours"] = plus_minus(None if own.empty else own.iloc[0])
            rows.append(row)
    return pd.DataFrame(rows)


def arms_table(summary: pd.DataFrame, measures: dict[tuple[str, str], str]) -> pd.DataFrame:
    """Return one row per cell and arm with a column of means and intervals per measure, accuracy first.

    What was measured on no split is a dash; a notion that too small a cell leaves open is "undecided".

    Args:
        summary: means of the arms, or of `first` minus `second` of two.
    """
    columns = {("accuracy", NO_ATTRIBUTE): "accuracy"} | measures | {("rounds_kept", NO_ATTRIBUTE): "rounds kept"}
    own = summary[(summary["subgroup"] == EVERYONE) & (summary["condition"] == "")]
    if paired := "first" in own:
        words = own["first"] + " minus " + own["second"]
        own = own.assign(method=words, arm=words)
    else:
        own = labelled(own)
    rows = []
    for (dataset, attributes, protocol, _), arm in own.groupby(KEYS, sort=False):
        values = arm.set_index(["metric", "attribute"])[["value", "ci_low", "ci_high"]]
        row = {"data": dataset, "attributes": attributes, "arm": arm["arm"].iloc[0]}
        row |= {"protocol": protocol.replace("_", " "), "splits": int(arm["seeds"].max())}
        for key, title in columns.items():
            title, may_be_open = " ".join(title.split()), key[1] == COMBINATIONS
            key = (key[0], attribute_in(attributes, key[1]))
            if key not in values.index:
                row[title] = UNDECIDED if paired and may_be_open else UNDEFINED
            elif np.isnan(values.loc[key, "value"]):
                row[title] = UNDECIDED
            else:
                row[title] = format_interval(*values.loc[key], digits=0 if key[0] == "rounds_kept" else 3)
        rows.append(row)
    return pd.DataFrame(rows)


def attribute_measures(summary: pd.DataFrame) -> dict[tuple[str, str], str]:
    """Return the equalized odds gap of every single attribute as further columns."""
    found = list(dict.fromkeys(name for words in summary["attributes"].unique() for name in words.split(", ")))
    return {(ODDS, name): f"equalized odds of {name}, max" for name in found}


def stages_table(stages: pd.DataFrame) -> pd.DataFrame:
    """Return one row per arm of the two-stage selection."""
    rows = []
    for method, own in stages.groupby("method", sort=False):
        values = own.set_index(["metric", "attribute", "condition"])[["value", "ci_low", "ci_high"]]
        row = {"arm": method, "seeds": int(own["seeds"].max())}
        rows.append(row | {title: format_interval(*values.loc[key]) for key, title in STAGES.items()})
    return pd.DataFrame(rows)


def write_tables(paths: dict[str, str], folder: Path) -> None:
    """Write all tables (each csv, md, tex) into `folder`."""
    data = {name: parquet.read(path) for name, path in paths.items()}
    summary = need(data["summary"], "any arm")
    one, rest = summary[is_single(summary["attributes"])], summary[~is_single(summary["attributes"])]
    means = f"Means over splits with {in_words(summary['interval'])}; every gap is taken per split"
    said = "The published package (adafair 0.1.5, and scikit-learn's AdaBoost) / ours, on one split of Adult, test part"
    save_table(package_table(data["golden"]), folder / "package", f"{said}. DM: equalized odds, sum.")
    said = "AdaFair's published table (500 rounds) beside ours, mean ± standard deviation over splits"
    save_table(published_table(summary), folder / "published", f"{said}. Other data files and features: see the text.")
    save_table(arms_table(one, MEASURES_ONE), folder / "arms_one", f"One attribute, all arms. {means}.")
    several = MEASURES_SEVERAL | attribute_measures(rest)
    save_table(arms_table(rest, several), folder / "arms_several", f"Several attributes, all arms. {means}.")
    measures = MEASURES_ONE | attribute_measures(summary) | MEASURES_SEVERAL
    shown = data["comparisons"]
    said = f"First arm minus second, on the same splits. {means}."
    save_table(arms_table(shown[shown["paired_by"] == "splits"], measures), folder / "differences", said)
    said = "The synthetic selection in two stages: gaps of the share that passes. Means over seeds with"
    save_table(stages_table(data["stages"]), folder / "stages", f"{said} {in_words(data['stages']['interval'])}.")
