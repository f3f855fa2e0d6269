"""Verdicts, mitigations, false alarms, and the notebook's numbers beside ours."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from scripts.backdoor.words import CLEAN, METHOD_WORDS, RATE_WORDS, in_kind_order, keys_of, kind_words
from scripts.common import parquet
from scripts.common.aggregate import aggregate
from scripts.common.interval_kinds import RANGE, in_words
from scripts.common.schemas.comparisons import COMPARISONS
from scripts.common.schemas.metrics import METRICS
from scripts.common.tables import UNDEFINED, format_interval, save_table

COUNT = ("attack_count", "")


def detection_table(models: pd.DataFrame) -> pd.DataFrame:
    """Return one row per model and protocol, corrected first."""
    models = models.assign(published=models["protocol"] == "as_published").sort_values(["published", "kind", "seed"])
    return pd.DataFrame(
        {
            "model": models["run"],
            "protocol": models["protocol"].str.replace("_", " "),
            "truly infected": models["true_labels"],
            "smallest": models["label"],
            "norm": models["norm"],
            "median": models["median_norm"],
            "index": models["index"],
            "lower median": models["index_lower"],
            "on log-norms": models["index_log"],
            "p": models["p_value"],
            "success": models["success"],
            "overlap": models["jaccard"],
            "verdict": models["verdict"],
            "reason": models["reason"],
        }
    )


def over_seeds(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the corrected rates of the test images over seeds, by kind, method, metric and condition."""
    own = rows[(rows["protocol"] == "corrected") & (rows["split"] == "test") & rows["method"].isin(list(METHOD_WORDS))]
    return aggregate(own, ["kind", "method", "metric", "condition"], RANGE)


def rates_table(metrics: pd.DataFrame, comparisons: pd.DataFrame) -> pd.DataFrame:
    """Return one row per kind and method: all rates with intervals, and what they lost."""
    table, rows = over_seeds(metrics), []
    drops = over_seeds(comparisons.rename(columns={"second": "method"}))
    table, drops = (part.assign(key=keys_of(part)) for part in (table, drops))
    for kind in in_kind_order(table["kind"]):
        for method, words in METHOD_WORDS.items():
            of, lost = (
                part[(part["kind"] == kind) & (part["method"] == method)].set_index("key") for part in (table, drops)
            )
            if of.empty:
                continue
            row = {"model": kind_words(kind), "method": words, "seeds": int(of["seeds"].max())}
            row |= {name: shown(of, key) for key, name in RATE_WORDS.items()}
            rows.append(row | {"drop of clean accuracy": shown(lost, CLEAN)})
    return pd.DataFrame(rows)


def shown(rows: pd.DataFrame, key: tuple[str, str]) -> str:
    """Return one rate with its interval as text, of rows by metric and condition; a dash where it is missing."""
    own = rows[rows.index == key]
    return format_interval(*own.iloc[0][["value", "ci_low", "ci_high"]]) if len(own) else UNDEFINED


def protocols_table(metrics: pd.DataFrame, models: pd.DataFrame) -> pd.DataFrame:
    """Return the notebook's numbers and the corrected ones, per kind that both ran on."""
    rows = []
    kinds = models.loc[models["protocol"] == "as_published", "kind"].unique()
    for kind in in_kind_order(kinds):
        for protocol in ("as_published", "corrected"):
            own = models[(models["kind"] == kind) & (models["protocol"] == protocol)]
            told = {"model": kind_words(kind), "protocol": protocol.replace("_", " ")}
            called = own["verdict"].str.startswith("infected")
            rows.append(told | {"number": "models called infected", "value": f"{called.sum()} of {len(own)}"})
            rows.append(told | {"number": "right verdicts", "value": f"{int(own['right'].sum())} of {len(own)}"})
            of = metrics[(metrics["kind"] == kind) & (metrics["protocol"] == protocol)]
            for key, words in {COUNT: 'the "attack success rate", a count', **RATE_WORDS}.items():
                for method in ("before", "unlearned"):
                    for split, where in (("test", "judged images"), ("valid", "unseen images")):
                        part = of[(keys_of(of) == key) & (of["method"] == method) & (of["split"] == split)]
                        if part.empty:
                            continue
                        digits = 0 if key == COUNT else 3
                        value = format_interval(
                            part["value"].mean(), part["ci_low"].min(), part["ci_high"].max(), digits
                        )
                        number = f"{words}, {METHOD_WORDS[method].split(',')[0]}"
                        number += f" ({where})" if protocol == "as_published" else ""
                        rows.append(told | {"number": number, "value": value})
    return pd.DataFrame(rows, columns=["model", "protocol", "number", "value"])


def write_tables(given: Mapping[str, str], folder: Path) -> None:
    """Write all tables of the study into a folder."""
    metrics, models = parquet.read(given["metrics"], METRICS), parquet.read(given["models"])
    alarms = parquet.read(given["false_alarms"])
    alarms = alarms.rename(
        columns={"above_2": "P(index > 2)", "above_3": "P(index > 3)", "quantile_95": "95th percentile"}
    )
    n = int(metrics.loc[keys_of(metrics) == CLEAN, "n"].max())
    kind = in_words(RANGE)
    save_table(
        detection_table(models),
        folder / "detection",
        f"Verdicts on {len(models)} scans of {models['run'].nunique()} models.",
    )
    comparisons = parquet.read(given["comparisons"], COMPARISONS)
    before_after = f"Before and after; {n:,} test images; mean over seeds, {kind} (Wilson, of drops Newcombe)."
    save_table(rates_table(metrics, comparisons), folder / "before_after", before_after)
    save_table(alarms, folder / "false_alarms", "The index of the smallest norm of models without a backdoor.")
    save_table(
        protocols_table(metrics, models),
        folder / "protocols",
        f"The notebook's numbers and the corrected ones; means over seeds, {kind} (Wilson).",
    )
