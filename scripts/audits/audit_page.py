"""Rule `audit_page`: the page of an audit, in one file that needs no network."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from scripts.audits.findings import findings
from scripts.audits.measures import BY
from scripts.common import html, parquet
from scripts.common.files import atomic_path
from scripts.common.interval_kinds import KINDS
from scripts.common.logs import job
from scripts.common.metric_registry import registry
from scripts.common.schemas.comparisons import COMPARISONS
from scripts.common.schemas.metrics import METRICS
from scripts.common.tables import format_number

COMPARED = [
    "demographic_parity_difference",
    "demographic_parity_ratio",
    "equal_opportunity_difference",
    "equalized_odds_difference",
    "equalized_odds_sum",
    "true_negative_rate_difference",
    "prevalence_difference",
]
RATES = [
    "prevalence",
    "selection_rate",
    "true_positive_rate",
    "false_positive_rate",
    "positive_predictive_value",
    "accuracy",
    "balanced_accuracy",
]
EXPOSED = {"label": "the predictions", "score": "the scores"}
LEFT, WIDTH, ROW, LONGEST = 230, 720, 26, 30  # of a chart, in pixels; of a name in it, in characters


def number(row: pd.Series | None, digits: int = 3) -> dict:
    """Return a value and its interval as text."""
    if row is None or pd.isna(row["value"]):
        return {"value": "–", "interval": ""}
    ends = (
        ""
        if pd.isna(row["ci_low"])
        else f"{format_number(row['ci_low'], digits)} to {format_number(row['ci_high'], digits)}"
    )
    return {"value": format_number(row["value"], digits), "interval": ends}


def chart(rows: pd.DataFrame) -> dict:
    """Return the drawing of one rate by group: a mark and its interval per row, on an axis from 0.

    Args:
        rows: subgroup, value, ci_low and ci_high.
    """
    shown = rows[rows["value"].notna()]
    reach = float(shown["ci_high"].max()) if len(shown) else 1.0
    step = next(step for step in (0.02, 0.05, 0.1, 0.2) if reach <= 6 * step or step == 0.2)
    top = min(1.0, step * np.ceil(reach / step - 1e-9) or step)

    def across(value: float) -> float:
        return round(LEFT + (WIDTH - LEFT - 60) * value / top, 1)

    marks = [
        {
            "name": row.subgroup if len(row.subgroup) <= LONGEST else f"{row.subgroup[: LONGEST - 1]}…",
            "y": place * ROW + 20,
            "x": across(row.value),
            "low": across(row.ci_low),
            "high": across(row.ci_high),
            "text": format_number(row.value),
        }
        for place, row in enumerate(shown.itertuples())
    ]
    ticks = [{"x": across(place * step), "text": f"{place * step:g}"} for place in range(round(top / step) + 1)]
    bottom = len(marks) * ROW + 8
    return {"marks": marks, "ticks": ticks, "width": WIDTH, "height": bottom + 24, "bottom": bottom, "left": LEFT}


def groups_table(metrics: pd.DataFrame, attribute: str) -> dict:
    """Return the rates of all groups of an attribute, highest selection rate first, and their drawing."""
    of_groups = metrics[metrics["attribute"] == attribute]
    rates = of_groups[of_groups["metric"].isin(RATES)].set_index(["subgroup", "metric"])
    selected = of_groups[of_groups["metric"] == "selection_rate"].sort_values(
        ["value", "subgroup"], ascending=[False, True]
    )
    rows = [
        {"name": row.subgroup, "n": int(row.n), "numbers": [number(rates.loc[(row.subgroup, rate)]) for rate in RATES]}
        for row in selected.itertuples()
    ]
    return {"attribute": attribute, "rows": rows, "chart": chart(selected)}


def differences_table(metrics: pd.DataFrame, attributes: Sequence[str]) -> list[dict]:
    """Return what the groups of each attribute differ by."""
    compared = metrics[(metrics["subgroup"] == "all") & metrics["metric"].isin(COMPARED)]
    compared = compared.set_index(["attribute", "metric"]).sort_index()
    rows = []
    for name in attributes:
        cells = [number(compared.loc[(name, metric)]) for metric in COMPARED if (name, metric) in compared.index]
        if cells:
            rows.append({"name": name, "numbers": cells})
    return rows


def undefined(metrics: pd.DataFrame) -> list[str]:
    """Return why some differences are not defined, in sentences."""
    sentences = []
    for metric, what in (("true_positive_rate", "positive label"), ("false_positive_rate", "negative label")):
        empty = metrics[(metrics["metric"] == metric) & metrics["value"].isna() & (metrics["attribute"] != "none")]
        for attribute, rows in empty.groupby("attribute", sort=False):
            names = ", ".join(rows["subgroup"].head(8)) + (f" and {len(rows) - 8} more" if len(rows) > 8 else "")
            sentences.append(f"{attribute}: no row with a {what} in {names}; differences in that rate are not defined.")
    return sentences


def leakage_table(leaking: pd.DataFrame) -> list[dict]:
    """Return what each output gives away of each attribute."""
    rows = []
    for row in leaking.itertuples():
        measured = pd.Series({"value": row.attack_ba, "ci_low": row.ba_lo, "ci_high": row.ba_hi})
        rows.append(
            {
                "attribute": row.attribute,
                "output": EXPOSED.get(row.exposure, row.exposure),
                "attack": row.attack_name,
                "accuracy": number(measured),
                "chance": format_number(row.chance),
                "most": format_number(row.bound_label) if row.exposure == "label" else "–",
                "p_value": "–" if pd.isna(row.p_holm) else ("< 0.001" if row.p_holm < 0.001 else f"{row.p_holm:.3f}"),
                "verdict": row.verdict.replace("certified(", "certified within ").rstrip(")"),
                "reason": row.reason,
            }
        )
    return rows


def comparison_table(comparisons: pd.DataFrame | None) -> list[dict]:
    """Return the differences of two predictions over everyone, and of what groups differ by."""
    if comparisons is None:
        return []
    about, rows = registry(), []
    overall = comparisons[(comparisons["subgroup"] == "all") & comparisons["metric"].isin([*COMPARED, *RATES])]
    for _, row in overall.iterrows():
        if row["metric"].startswith("prevalence"):
            continue  # of the labels, which both share
        differs = not np.isnan(row["value"]) and not row["ci_low"] <= 0 <= row["ci_high"]
        name = "everyone" if row["attribute"] == "none" else row["attribute"]
        title = about[row["metric"]]["title"]
        rows.append({"name": name, "metric": title, "number": number(row), "differs": differs})
    return rows


def content(
    about: dict, metrics: pd.DataFrame, leaking: pd.DataFrame, comparisons: pd.DataFrame | None, matched: str
) -> dict:
    """Return what the template shows."""
    attributes = [name for name in dict.fromkeys(metrics["attribute"]) if name != "none"]
    names, terms = registry(), [*COMPARED, *RATES, "attack_balanced_accuracy"]
    kinds = [*metrics["interval"].dropna().unique()]
    kinds += [] if comparisons is None else [*comparisons["interval"].dropna().unique()]
    return {
        "about": about,
        "findings": findings(metrics, leaking, comparisons),
        "everyone": groups_table(metrics, "none")["rows"][0],
        "compared": [names[metric]["title"] for metric in COMPARED],
        "rates": [names[metric]["title"] for metric in RATES],
        "differences": differences_table(metrics, attributes),
        "undefined": undefined(metrics),
        "single": [groups_table(metrics, name) for name in attributes if BY not in name],
        "joint": [groups_table(metrics, name) for name in attributes if BY in name],
        "leakage": leakage_table(leaking),
        "comparison": comparison_table(comparisons),
        "sides": None if comparisons is None else (comparisons["first"].iloc[0], comparisons["second"].iloc[0]),
        "matched": matched,
        "terms": [(names[metric]["title"], names[metric]["formula"]) for metric in terms],
        "kinds": [KINDS[kind] for kind in dict.fromkeys(kinds)],
    }


def audit_page(
    about_path: str | Path, metrics_path: str | Path, leakage_path: str | Path, compared: str | Path | None, output: str
) -> None:
    """Write the page of an audit."""
    about = json.loads(Path(about_path).read_text(encoding="utf-8"))
    comparisons, matched = None, ""
    if compared:
        comparisons = parquet.read(compared, COMPARISONS)
        matched = pq.read_schema(compared).metadata[b"matched"].decode()
    env = html.environment(Path(__file__).parent / "html")
    metrics, leaking = parquet.read(metrics_path, METRICS), parquet.read(leakage_path)
    text = html.page(
        env,
        "audit.html.jinja",
        title=f"Audit of {about['name']}",
        styles=["audit.css"],
        **content(about, metrics, leaking, comparisons, matched),
    )
    with atomic_path(output) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")


if "snakemake" in globals():
    with job(snakemake):
        files = snakemake.input
        audit_page(
            files.about, files.metrics, files.attacks, next(iter(files.get("compared", [])), None), snakemake.output[0]
        )
