"""Rule `backdoor_tables`: verdicts, mitigations, false alarms, and the notebook's numbers beside ours."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from scripts.backdoor.words import METHOD_WORDS, RATE_WORDS, in_kind_order, kind_words
from scripts.common import figures, parquet
from scripts.common.logs import job
from scripts.common.schemas.metrics import METRICS
from scripts.common.tables import UNDEFINED, format_interval, save_table


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


def rates_table(metrics: pd.DataFrame) -> pd.DataFrame:
    """Return one row per kind and method: all rates with intervals, and what they lost."""
    own = metrics[(metrics["protocol"] == "corrected") & (metrics["split"] == "test") & (metrics["subgroup"] == "all")]
    own = own[own["method"].isin(list(METHOD_WORDS))]
    table, rows = figures.aggregate_seeds(own, ["kind", "method", "metric"]), []
    for kind in in_kind_order(table["kind"]):
        for method, words in METHOD_WORDS.items():
            of = table[(table["kind"] == kind) & (table["method"] == method)].set_index("metric")
            if of.empty:
                continue

            def shown(metric: str, of=of) -> str:
                return (
                    format_interval(*of.loc[metric, ["value", "ci_low", "ci_high"]])
                    if metric in of.index
                    else UNDEFINED
                )

            row = {"model": kind_words(kind), "method": words, "seeds": int(of["seeds"].max())}
            row |= {name: shown(metric) for metric, name in RATE_WORDS.items()}
            rows.append(row | {"drop of clean accuracy": shown("clean_accuracy_drop")})
    return pd.DataFrame(rows)


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
            of = metrics[(metrics["kind"] == kind) & (metrics["protocol"] == protocol) & (metrics["subgroup"] == "all")]
            for metric, words in {"attack_count": 'the "attack success rate", a count', **RATE_WORDS}.items():
                for method in ("before", "unlearned"):
                    for split, where in (("test", "judged images"), ("valid", "unseen images")):
                        part = of[(of["metric"] == metric) & (of["method"] == method) & (of["split"] == split)]
                        if part.empty:
                            continue
                        digits = 0 if metric == "attack_count" else 3
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
    n = int(metrics.loc[metrics["metric"] == "clean_accuracy", "n"].max())
    save_table(
        detection_table(models),
        folder / "detection",
        f"Verdicts on {len(models)} scans of {models['run'].nunique()} models.",
    )
    save_table(rates_table(metrics), folder / "before_after", f"Before and after; {n:,} test images; 95 % intervals.")
    save_table(alarms, folder / "false_alarms", "The index of the smallest norm of models without a backdoor.")
    save_table(
        protocols_table(metrics, models),
        folder / "protocols",
        "The notebook's numbers and the corrected ones; means over seeds.",
    )


if "snakemake" in globals():
    with job(snakemake):
        write_tables(dict(snakemake.input.items()), Path(snakemake.output[0]).parent)
