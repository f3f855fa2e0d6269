"""Rule `leakage_tables`: the statements, the audit's own tests, and the audit itself sorted by leakage."""

from pathlib import Path

import numpy as np
import pandas as pd

from scripts.common import parquet
from scripts.common.logs import job
from scripts.common.schemas.metrics import METRICS
from scripts.common.tables import format_interval, save_table

CHECKS = {
    "attack_power": "strongest attack, scores of law: {}",
    "coverage_newcombe": "coverage of Newcombe's interval, {}",
    "coverage_wald": "coverage of Wald's interval, {}",
    "width_newcombe": "width of Newcombe's interval, {}",
    "width_wald": "width of Wald's interval, {}",
    "false_leaks": "leaks found after permuting, {}",
    "forest_attack": "published attack on the score, {}",
    "forest_shortfall": "label attack less published attack on the score, {}",
    "data_gap": "gap of the labels in the data, {}",
}


def theory_table(theory: pd.DataFrame) -> pd.DataFrame:
    """Return one row per statement: what it says, tables checked, failures; wrong formulas last."""
    grouped = theory.groupby(["kind", "statement"], sort=False)
    table = grouped.agg(says=("says", "first"), tables=("tables", "sum"), failures=("failures", "sum")).reset_index()
    table = table.sort_values("kind", kind="stable")
    return table[["statement", "says", "kind", "tables", "failures"]].rename(columns={"tables": "tables checked"})


def checks_table(metrics: pd.DataFrame) -> pd.DataFrame:
    """Return one row per check and protocol, its repetitions averaged."""
    rows = metrics[metrics["metric"].isin(list(CHECKS))]
    grouped = rows.groupby(["metric", "dataset", "method", "protocol"], sort=False)
    table = grouped.agg(
        value=("value", "mean"), low=("ci_low", "min"), high=("ci_high", "max"), n=("n", "min")
    ).reset_index()
    table = table.sort_values("metric", key=lambda names: names.map(list(CHECKS).index), kind="stable")
    return pd.DataFrame(
        {
            "check": [CHECKS[row.metric].format(row.method) for row in table.itertuples()],
            "data": table["dataset"],
            "protocol": table["protocol"],
            "value": [format_interval(row.value, row.low, row.high) for row in table.itertuples()],
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


def write_tables(audit_path: str, theory_path: str, metrics_path: str, folder: Path) -> None:
    """Write all tables of the study into a folder."""
    audit, theory = parquet.read(audit_path), parquet.read(theory_path)
    metrics = parquet.read(metrics_path, METRICS)
    save_table(
        audit_table(audit), folder / "audit", f"The audit: {len(audit)} rows, strongest leak first; 95 % intervals."
    )
    save_table(theory_table(theory), folder / "theory", "Statements on attribute inference, checked exactly.")
    save_table(checks_table(metrics), folder / "checks", "The audit's own tests, with 95 % intervals.")


if "snakemake" in globals():
    with job(snakemake):
        files = snakemake.input
        write_tables(files.audit, files.theory, files.metrics, Path(snakemake.output[0]).parent)
