"""Rule `boosting_tables`: the package's numbers, the published table, all arms, paired differences, two stages."""

from pathlib import Path

import numpy as np
import pandas as pd

from scripts.boosting.looks import KEYS, MEASURES_ONE, MEASURES_SEVERAL, is_single, labelled, need, of_measure
from scripts.boosting.measures import UNDECIDED, WORST
from scripts.common import parquet
from scripts.common.logs import job
from scripts.common.published import values
from scripts.common.tables import UNDEFINED, format_interval, format_number, save_table

PUBLISHED = Path(__file__).with_name("published.yaml")
MEANS = (
    "Means over splits with 95 % t intervals, corrected for the rows that splits share; every gap is taken per split"
)
STAGES = {
    "accuracy": "accuracy",
    "stage_1": "shortlist, gap by the first",
    "stage_2": "hire among the shortlisted, gap by the second",
    "end_to_end_1": "end to end, gap by the first",
    "end_to_end_2": "end to end, gap by the second",
    "end_to_end_cells": "end to end, all combinations",
}


def package_table(golden: pd.DataFrame) -> pd.DataFrame:
    """Return one row per class of the published package: its numbers and ours, to four decimals."""
    rows = []
    for model, own in golden.groupby("model", sort=False):
        row = {"model": model}
        for entry in own.itertuples():
            digits = 0 if entry.metric == "theta" else 4
            row[entry.metric] = f"{entry.published:.{digits}f} / {entry.value:.{digits}f}"
        rows.append(row | {"test rows": int(own["n"].iloc[0])})
    return pd.DataFrame(rows)


def plus_minus(row: pd.Series | None) -> str:
    """Return mean and standard deviation over splits, as the paper gives them; a dash where there is none."""
    if row is None:
        return UNDEFINED
    return f"{format_number(row['value'])} ± {format_number(row['deviation'])}"


def published_table(summary: pd.DataFrame) -> pd.DataFrame:
    """Return AdaFair's published table with ours beside it, and our rows that it lacks left out."""
    chosen = {"accuracy": ("accuracy", "all"), "balanced accuracy": ("balanced_accuracy", "all")}
    chosen |= {"equalized odds, sum": ("EOdds_sum", WORST)}
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


def arms_table(summary: pd.DataFrame, measures: dict[tuple[str, str], str], quantity: str = "value") -> pd.DataFrame:
    """Return one row per cell and arm with a column of means and intervals per measure, accuracy first.

    What was measured on no split is a dash; a notion that too small a cell leaves open is "undecided".
    """
    columns = {("accuracy", "all"): "accuracy"} | measures | {("theta", "all"): "rounds kept"}
    own = summary[summary["quantity"] == quantity]
    own = labelled(own) if quantity == "value" else own.assign(arm=own["method"])
    rows = []
    for (dataset, attributes, protocol, _), arm in own.groupby(KEYS, sort=False):
        values = arm.set_index(["metric", "subgroup"])[["value", "ci_low", "ci_high"]]
        row = {"data": dataset, "attributes": attributes, "arm": arm["arm"].iloc[0]}
        row |= {"protocol": protocol.replace("_", " "), "splits": int(arm["seeds"].max())}
        for key, title in columns.items():
            title = " ".join(title.split())
            if key not in values.index:
                row[title] = UNDECIDED if quantity == "difference" and key[0].startswith("intersec") else UNDEFINED
            elif np.isnan(values.loc[key, "value"]):
                row[title] = UNDECIDED
            else:
                row[title] = format_interval(*values.loc[key], digits=0 if key[0] == "theta" else 3)
        rows.append(row)
    return pd.DataFrame(rows)


def attribute_measures(summary: pd.DataFrame) -> dict[tuple[str, str], str]:
    """Return the equalized odds gap of every single attribute as further columns."""
    found = list(dict.fromkeys(name for words in summary["attributes"].unique() for name in words.split(", ")))
    return {("EOdds_max", name): f"equalized odds of {name}, max" for name in found}


def stages_table(stages: pd.DataFrame) -> pd.DataFrame:
    """Return one row per arm of the two-stage selection."""
    rows = []
    for method, own in stages.groupby("method", sort=False):
        values = own.set_index("metric")[["value", "ci_low", "ci_high"]]
        row = {"arm": method, "seeds": int(own["seeds"].max())}
        rows.append(row | {title: format_interval(*values.loc[name]) for name, title in STAGES.items()})
    return pd.DataFrame(rows)


def write_tables(paths: dict[str, str], folder: Path) -> None:
    """Write all tables (each csv, md, tex) into `folder`."""
    data = {name: parquet.read(path) for name, path in paths.items()}
    summary = need(data["summary"], "any arm")
    one, rest = summary[is_single(summary["attributes"])], summary[~is_single(summary["attributes"])]
    said = "The published package (adafair 0.1.5, and scikit-learn's AdaBoost) / ours, on one split of Adult, test part"
    save_table(package_table(data["golden"]), folder / "package", f"{said}. DM: equalized odds, sum.")
    said = "AdaFair's published table (500 rounds) beside ours, mean ± standard deviation over splits"
    save_table(published_table(summary), folder / "published", f"{said}. Other data files and features: see the text.")
    save_table(arms_table(one, MEASURES_ONE), folder / "arms_one", f"One attribute, all arms. {MEANS}.")
    several = MEASURES_SEVERAL | attribute_measures(rest)
    save_table(arms_table(rest, several), folder / "arms_several", f"Several attributes, all arms. {MEANS}.")
    measures = MEASURES_ONE | attribute_measures(summary) | MEASURES_SEVERAL
    shown = summary[summary["quantity"] == "difference"]
    said = f"First arm minus second, on the same splits. {MEANS}."
    save_table(arms_table(shown, measures, "difference"), folder / "differences", said)
    said = (
        "The synthetic selection in two stages: gaps of the share that passes. Means over seeds with 95 % t intervals."
    )
    save_table(stages_table(data["stages"]), folder / "stages", said)


if "snakemake" in globals():
    with job(snakemake):
        files = {name: snakemake.input[name] for name in ("summary", "golden", "stages")}
        write_tables(files, Path(snakemake.output[0]).parent)
