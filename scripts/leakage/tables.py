"""The statements, the audit's own tests, and the audit itself sorted by leakage."""

from pathlib import Path

import numpy as np
import pandas as pd

from scripts.common import parquet
from scripts.common.aggregate import aggregate
from scripts.common.interval_kinds import NEWCOMBE, RANGE, in_words
from scripts.common.schemas.comparisons import COMPARISONS
from scripts.common.schemas.metrics import METRICS
from scripts.common.tables import format_interval, save_table
from scripts.leakage.numbers import ATTACK, FOREST, SCORE

SHORTFALL = "label attack less published attack on the score, {}"
CHECKS = {  # metric and condition: words, with the method in them
    ("interval_coverage", "interval=newcombe"): "coverage of Newcombe's interval, {}",
    ("interval_coverage", "interval=wald"): "coverage of Wald's interval, {}",
    ("interval_width", "interval=newcombe"): "width of Newcombe's interval, {}",
    ("interval_width", "interval=wald"): "width of Wald's interval, {}",
    ("false_leak_rate", ""): "leaks found after permuting, {}",
    (ATTACK, FOREST): "published attack on the score, {}",
    ("prevalence_difference", ""): "gap of the labels in the data, {}",
}
POWER = "strongest attack, scores of law: {}"
WORDS = [POWER, *list(CHECKS.values())[:-1], SHORTFALL, CHECKS["prevalence_difference", ""]]


def theory_table(theory: pd.DataFrame) -> pd.DataFrame:
    """Return one row per statement: what it says, tables checked, failures; wrong formulas last."""
    grouped = theory.groupby(["kind", "statement"], sort=False)
    table = grouped.agg(says=("says", "first"), tables=("tables", "sum"), failures=("failures", "sum")).reset_index()
    table = table.sort_values("kind", kind="stable")
    return table[["statement", "says", "kind", "tables", "failures"]].rename(columns={"tables": "tables checked"})


def checks_table(metrics: pd.DataFrame, comparisons: pd.DataFrame) -> pd.DataFrame:
    """Return one row per check and protocol, its repetitions averaged."""
    words = [CHECKS.get(key) for key in zip(metrics["metric"], metrics["condition"], strict=True)]
    rows = metrics.assign(words=words)
    rows.loc[(rows["dataset"] == "simulated scores") & (rows["condition"] == SCORE), "words"] = POWER
    short = comparisons[comparisons["second_condition"] == FOREST].rename(columns={"first": "method"})
    rows = pd.concat([rows.dropna(subset="words"), short.assign(words=SHORTFALL)], ignore_index=True)
    table = aggregate(rows, ["words", "dataset", "method", "protocol"], RANGE)
    table = table.sort_values("words", key=lambda names: names.map(WORDS.index), kind="stable")
    return pd.DataFrame(
        {
            "check": [row.words.format(row.method) for row in table.itertuples()],
            "data": table["dataset"],
            "protocol": table["protocol"],
            "value": [format_interval(row.value, row.ci_low, row.ci_high) for row in table.itertuples()],
            "n": table["n"],
        }
    )


def audit_table(audit: pd.DataFrame) -> pd.DataFrame:
    """Return one row per model, attribute and output, strongest leak first; rows without an attack last."""
    leak = audit["k"] * audit["attack_ba"] - 1
    order = np.argsort(-leak.fillna(-np.inf).to_numpy(), kind="stable")
    table = audit.assign(leak=leak).iloc[order]
    return pd.DataFrame(
        {
            "study": table["study"],
            "model": table["run"],
            "attribute": table["attribute"],
            "output": table["output"].where(table["exposure"] != "vector", "vector"),
            "leak": table["leak"],
            "the label allows": table["dpd"],
            "balanced accuracy": [format_interval(row.attack_ba, row.ba_lo, row.ba_hi) for row in table.itertuples()],
            "guessing": table["chance"],
            "attack": table["attack_name"],
            "model's accuracy": table["accuracy"],
            "p (Holm)": table["p_holm"],
            "rows": table["n_test"],
            "smallest group": table["n_test_min_group"],
            "verdict": table["verdict"],
        }
    )


def write_tables(audit_path: str, theory_path: str, metrics_path: str, comparisons_path: str, folder: Path) -> None:
    """Write all tables of the study into a folder."""
    audit, theory = parquet.read(audit_path), parquet.read(theory_path)
    metrics = parquet.read(metrics_path, METRICS)
    save_table(
        audit_table(audit),
        folder / "audit",
        f"The audit: {len(audit)} rows, strongest leak first; {in_words(NEWCOMBE)}.",
    )
    save_table(theory_table(theory), folder / "theory", "Statements on attribute inference, checked exactly.")
    checks = checks_table(metrics, parquet.read(comparisons_path, COMPARISONS))
    save_table(checks, folder / "checks", f"The audit's own tests; repetitions averaged, {in_words(RANGE)}.")
