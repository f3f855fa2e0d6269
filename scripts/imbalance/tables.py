"""All tables: plans beside the paper, paired differences, rows added, quality, sensitivity, variance."""

import math
from collections.abc import Iterable, Mapping
from pathlib import Path

import pandas as pd

from scripts.common.interval_kinds import in_words
from scripts.common.tables import UNDEFINED, format_interval, format_number, save_table
from scripts.imbalance.generators import BOOTSTRAP
from scripts.imbalance.labels import (
    BALANCED,
    GAP,
    METRICS,
    ODDS,
    PUBLISHED_TITLES,
    QUALITY,
    at,
    generator_title,
    in_order,
    main_runs,
    place_title,
    places,
    plan_title,
    published_method,
    published_numbers,
)
from scripts.imbalance.names import CORRECTED, MAIN, NO_PLAN, REAL
from scripts.imbalance.names import PUBLISHED as AS_PUBLISHED

KEYS = ["dataset", "attributes", "plan", "generator"]
NAMES = ["data", "plan", "generator"]
PROTOCOLS = {AS_PUBLISHED: "as published", CORRECTED: "corrected"}
COMPARED = ("accuracy", BALANCED, ODDS, GAP)
SPREAD = ("f1_score", BALANCED, GAP)


def named(place: tuple[str, str], plan: str, generator: str) -> dict[str, str]:
    """Return the first cells of a row: data with attributes, plan, generator; a dash where there is no plan."""
    return dict(
        zip(NAMES, (place_title(place), UNDEFINED if plan == NO_PLAN else plan_title(plan), generator), strict=True)
    )


def frame_of(rows: Iterable[dict], columns: list[str]) -> pd.DataFrame:
    """Return rows as a table with these columns; missing cells are dashes."""
    return pd.DataFrame(list(rows), columns=columns).fillna(UNDEFINED)


def everyone(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of numbers over all people."""
    return rows[(rows["subgroup"] == "all") & (rows["condition"] == "")]


def p_text(value: float) -> str:
    """Return a p-value with three decimals, or "<0.001"."""
    return "<0.001" if value < 0.001 else format_number(value)


def plans_table(summary: pd.DataFrame) -> pd.DataFrame:
    """Return up to three rows per method: the paper's mean and deviation, ours as published, ours corrected."""
    shown = {metric: title for metric, title in METRICS.items() if metric != "demographic_parity_ratio"}
    runs, rows = everyone(main_runs(summary, None)), []
    for place in places(runs):
        own = in_order(at(runs, place))
        means, deviations = published_numbers(place), published_numbers(place, deviations=True)
        left = dict(means)
        for (plan, generator), method in own.groupby(["plan", "generator"], sort=False):
            theirs = published_method(plan, generator)
            if left.pop(theirs, None):
                rows.append(_published_row(place, theirs, means[theirs], deviations.get(theirs, {}), shown))
            for protocol, title in PROTOCOLS.items():
                mine = method[method["protocol"] == protocol].set_index("metric")
                if mine.empty:
                    continue
                row = named(place, plan, generator_title(generator)) | {"numbers": title}
                row["splits"] = str(int(mine["seeds"].max()))
                bounds = mine[["value", "ci_low", "ci_high"]]
                row |= {
                    shown[metric]: format_interval(*bounds.loc[metric]) for metric in shown if metric in bounds.index
                }
                rows.append(row)
        rows += [_published_row(place, name, left[name], deviations.get(name, {}), shown) for name in left]
    return frame_of(rows, [*NAMES, "numbers", "splits", *shown.values()])


def _published_row(
    place: tuple[str, str], method: str, means: dict[str, float], deviations: dict[str, float], shown: dict[str, str]
) -> dict[str, str]:
    """Return the row of one published method, as mean ± standard deviation."""
    *plan, generator = method.split(" ")
    title = PUBLISHED_TITLES.get(generator, generator_title(generator))
    row = named(place, plan[0] if plan else NO_PLAN, title) | {"numbers": "paper", "splits": "6"}
    for metric, mean in means.items():
        spread = f" ± {format_number(deviations[metric])}" if metric in deviations else ""
        row[shown[metric]] = format_number(mean) + spread
    return row


def differences_table(comparisons: pd.DataFrame) -> pd.DataFrame:
    """Return paired differences to real rows, to copies, and of the protocols, with p and Holm's p."""
    runs, rows = in_order(everyone(main_runs(comparisons, None))), []
    against = runs["second"].map({REAL: "real rows"})
    against = against.mask(runs["second"] == runs["plan"] + " " + BOOTSTRAP, "copies of the plan")
    against = against.mask(runs["protocol"].isna(), "the same, corrected")
    runs = runs.assign(against=against, protocol=runs["protocol"].fillna(AS_PUBLISHED))
    runs = runs[runs["against"].notna()]
    for place in places(runs):
        for (plan, generator, other, protocol), own in at(runs, place).groupby(
            ["plan", "generator", "against", "protocol"], sort=False
        ):
            row = named(place, plan, generator_title(generator))
            row |= {"numbers": PROTOCOLS[protocol], "minus": other}
            for found in own[own["metric"].isin(COMPARED)].itertuples():
                title = METRICS[found.metric]
                row[title] = format_interval(found.value, found.ci_low, found.ci_high)
                row[f"{title}: p / Holm"] = f"{p_text(found.p_value)} / {p_text(found.p_holm)}"
            rows.append(row)
    titles = [title for metric in COMPARED for title in (METRICS[metric], f"{METRICS[metric]}: p / Holm")]
    return frame_of(rows, [*NAMES, "numbers", "minus", *titles])


def rows_added_table(counts: pd.DataFrame) -> pd.DataFrame:
    """Return how many rows each plan adds, and to whom, on the first split; and the range over all splits."""
    rows = []
    for place in places(counts):
        own = at(counts, place)
        first = own[own["split"] == own["split"].min()]
        total = int(first[first["plan"] == NO_PLAN]["rows"].sum())
        for plan, mine in in_order(first[first["plan"] != NO_PLAN].assign(generator=REAL)).groupby("plan", sort=False):
            added = int(mine["added"].sum())
            where = [
                f"{row.group}{'' if row.label < 0 else f', label {row.label}'}: {row.added:,.0f}"
                for row in mine[mine["added"] > 0].itertuples()
            ]
            totals = own[own["plan"] == plan].groupby("split")["added"].sum()
            row = {"data": place_title(place), "plan": plan_title(plan), "training rows": f"{total:,}"}
            row |= {"rows added": f"{added:,}", "percent": f"{100 * added / total:.1f} %" if total else UNDEFINED}
            row |= {"to": "; ".join(where) or "nobody", "all splits": f"{totals.min():,.0f} to {totals.max():,.0f}"}
            rows.append(row)
    return frame_of(rows, ["data", "plan", "training rows", "rows added", "percent", "to", "all splits"])


def mean_and_deviation(values: pd.Series) -> str:
    """Return "0.694 ± 0.012", with the standard deviation over splits (n - 1); a dash where a value is missing."""
    if values.empty or values.isna().any():
        return UNDEFINED
    spread = f" ± {format_number(values.std())}" if len(values) > 1 else ""
    return format_number(values.mean()) + spread


def quality_table(quality: pd.DataFrame) -> pd.DataFrame:
    """Return the measures of synthetic rows per plan and generator: mean and deviation over splits, draws averaged."""
    quality, rows = in_order(quality[quality["condition"] == ""]), []
    for (dataset, attributes, plan, generator), own in quality.groupby(KEYS, sort=False):
        row = named((dataset, attributes), plan, generator_title(generator))
        row |= {"splits": str(own["split"].nunique()), "draws": str(own["draw"].nunique())}
        for metric, title in QUALITY.items():
            values = own[own["metric"] == metric].groupby("split")["value"].mean()
            row[title] = mean_and_deviation(values)
        rows.append(row)
    return frame_of(rows, [*NAMES, "splits", "draws", *QUALITY.values()])


def sensitivity_table(summary: pd.DataFrame, comparisons: pd.DataFrame) -> pd.DataFrame:
    """Return the methods that ran under sensitivity checks: their numbers, and their differences to real rows there."""
    runs = everyone(summary[(summary["protocol"] == CORRECTED) & (summary["dose"] == 1.0)])
    paired = everyone(comparisons[(comparisons["protocol"] == CORRECTED) & (comparisons["second"] == REAL)])
    paired = paired[paired["dose"] == 1.0].set_index([*KEYS, "variant", "metric"])[["value", "ci_low", "ci_high"]]
    checked = runs.groupby(KEYS)["variant"].transform(lambda own: (own != MAIN).any())
    checked, rows = in_order(runs[checked.astype(bool)]), []
    for (*key, variant), own in checked.groupby([*KEYS, "variant"], sort=False):
        row = named((key[0], key[1]), key[2], generator_title(key[3]))
        row["check"] = "none" if variant == MAIN else variant
        bounds = own.set_index("metric")[["value", "ci_low", "ci_high"]]
        row |= {METRICS[name]: format_interval(*bounds.loc[name]) for name in COMPARED if name in bounds.index}
        for name in (BALANCED, GAP):
            place = (*key, variant, name)
            row[f"{METRICS[name]}, minus real"] = (
                format_interval(*paired.loc[place]) if place in paired.index else UNDEFINED
            )
        rows.append(row)
    titles = [*(METRICS[name] for name in COMPARED), *(f"{METRICS[name]}, minus real" for name in (BALANCED, GAP))]
    return frame_of(rows, [*NAMES, "check", *titles])


def variance_table(summary: pd.DataFrame) -> pd.DataFrame:
    """Return the standard deviation (ddof 0) over splits, over draws within a split, and the published one."""
    runs, rows = in_order(everyone(main_runs(summary, None))), []
    for (dataset, attributes, plan, generator, protocol), own in runs.groupby([*KEYS, "protocol"], sort=False):
        deviations = published_numbers((dataset, attributes), deviations=True)
        theirs = deviations.get(published_method(plan, generator), {})
        row = named((dataset, attributes), plan, generator_title(generator)) | {"numbers": PROTOCOLS[protocol]}
        for found in own[own["metric"].isin(SPREAD)].itertuples():
            title = METRICS[found.metric]
            row[f"{title}, splits"] = format_number(found.deviation_0)
            row[f"{title}, draws"] = format_number(found.draw_deviation)
            row[f"{title}, paper"] = format_number(theirs.get(found.metric, math.nan))
        rows.append(row)
    titles = [f"{METRICS[name]}, {kind}" for name in SPREAD for kind in ("splits", "draws", "paper")]
    return frame_of(rows, [*NAMES, "numbers", *titles])


def write_tables(data: Mapping[str, pd.DataFrame], folder: Path) -> None:
    """Write all tables (each csv, md, tex) into `folder`."""
    summary, comparisons = data["summary"], data["comparisons"]
    means = f"Means over splits with {in_words(summary['interval'])}; every gap is taken per split."
    said = "Plans and generators. Rows of the paper: mean ± standard deviation over its 6 splits."
    save_table(plans_table(summary), folder / "plans", f"{said} Ours: {means[0].lower()}{means[1:]}")
    said = "Paired differences on the same splits. Holm: over the plans and generators of one dataset and metric."
    save_table(differences_table(comparisons), folder / "differences", f"{said} {means}")
    said = "Rows that each plan adds to the training rows of the first split; exact counts."
    save_table(rows_added_table(data["counts"]), folder / "rows_added", said)
    said = "Quality of synthetic rows: mean ± standard deviation over splits, parts of a plan weighted by their rows."
    save_table(quality_table(data["quality"]), folder / "quality", said)
    said = "Sensitivity checks of the corrected protocol."
    save_table(sensitivity_table(summary, comparisons), folder / "sensitivity", f"{said} {means}")
    said = "Standard deviations (ddof 0, as published) over splits, over draws within a split (mean), and the paper's."
    save_table(variance_table(summary), folder / "variance", said)
