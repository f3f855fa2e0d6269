"""The explorer: a page on which a reader chooses data, plan, generator and dose, and sees cells, splits and a sentence.

All numbers and sentences are computed here; the page only shows them.
"""

import math
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from scripts.common import html
from scripts.common.aggregate import mean_interval
from scripts.common.points import points
from scripts.imbalance.generators import BOOTSTRAP
from scripts.imbalance.labels import (
    BALANCED,
    GAP,
    METRICS,
    ODDS,
    at,
    generator_title,
    in_order,
    place_title,
    places,
    plan_title,
)
from scripts.imbalance.names import CORRECTED, MAIN, NO_PLAN, REAL, WEIGHTS
from scripts.imbalance.plans import TITLES, at_dose

SHOWN = (GAP, BALANCED, "accuracy", ODDS)
PAGES = Path(__file__).parent / "html"
UNKNOWN = 2  # place in `added` of rows whose label the generator draws
Key = tuple[str, str, float]  # plan, generator, dose


def split_values(splits: pd.DataFrame) -> dict[Key, pd.DataFrame]:
    """Return the values of every corrected run of one dataset, [splits, metrics], by plan, generator and dose."""
    rows = splits[(splits["protocol"] == CORRECTED) & (splits["variant"] == MAIN) & splits["metric"].isin(SHOWN)]
    runs = {}
    for key, own in in_order(rows).groupby(["plan", "generator", "dose"], sort=False):
        runs[key] = own.pivot_table(index="split", columns="metric", values="value").reindex(columns=list(SHOWN))
    return runs


def paired(run: pd.DataFrame, other: pd.DataFrame, test_by_train: float) -> list[list[float | None]]:
    """Return mean and ends of the interval of run minus other per metric, over the splits that both have."""
    shared = run.index.intersection(other.index)
    found = []
    for metric in SHOWN:
        change = (run.loc[shared, metric] - other.loc[shared, metric]).to_numpy()
        mean = float(change.mean()) if len(change) else math.nan
        found.append(
            [_number(value) for value in (mean, *(mean_interval(change, test_by_train) if len(change) else ()))]
        )
    return [row if len(row) == 3 else [None] * 3 for row in found]


def _number(value: float) -> float | None:
    """Return a number for JSON, rounded to what the page shows; None where it is undefined."""
    return None if not math.isfinite(value) else round(float(value), 5)


def bars_of(counts: pd.DataFrame, plan: str, dose: float) -> list[dict]:
    """Return per group the real rows by label (0, 1) and the added ones by label (0, 1, drawn by the generator)."""
    first = counts[counts["split"] == counts["split"].min()]
    real = first[first["plan"] == NO_PLAN]
    bars = []
    for group in real["group"].unique():
        own = real[real["group"] == group].set_index("label")["rows"]
        mine = first[(first["plan"] == plan) & (first["group"] == group)].set_index("label")["added"]
        added = at_dose(mine.reindex([0, 1, -1]).fillna(0).to_numpy(), dose)
        bars.append({"group": group, "real": [int(own.get(label, 0)) for label in (0, 1)], "added": added.tolist()})
    return bars


def added_rows(bars: list[dict], positive: str) -> str:
    """Return to whom rows are added: "2,802 rows of women with label 1 (good credit)"; "" where to nobody."""
    who = [(number, bar["group"], place) for bar in bars for place, number in enumerate(bar["added"]) if number]
    if not who:
        return ""
    drawn = ", with labels that the generator draws," if who[0][2] == UNKNOWN else ""
    names = [f"{group}{'' if place == UNKNOWN else f' with label {place}'}" for _, group, place in who]
    one = any(place == 1 for _, _, place in who)
    if len(who) == 1:
        return f"{who[0][0]:,} rows of {names[0]}{f' ({positive})' if one else ''}{drawn}"
    parts = [f"{number:,} {name}" for (number, _, _), name in zip(who, names, strict=True)]
    parts += [f"label 1 is {positive}"] if one else []
    return f"{sum(number for number, _, _ in who):,} rows ({'; '.join(parts)}){drawn}"


def sentence(key: Key, bars: list[dict], run: pd.DataFrame, real: pd.DataFrame, change: list, positive: str) -> str:
    """Return what a run does in plain words: rows added and to whom, gap and accuracy before and after."""
    plan, generator, dose = key
    total = sum(sum(bar["real"]) for bar in bars)
    fraction = sum(sum(bar["added"]) for bar in bars) / max(total, 1)
    what = f"{plan_title(plan)} with {generator_title(generator)}"
    what = what[0].upper() + what[1:] if dose == 1 else f"{100 * dose:g} % of {what}"
    rows = added_rows(bars, positive)
    if plan == NO_PLAN:
        text = f"{generator_title(generator)[0].upper()}{generator_title(generator)[1:]}: no synthetic row is added."
    elif not rows:
        text = f"{what} adds no row."
    else:
        verb = "weighs rows as if it added" if generator == WEIGHTS else "adds"
        text = f"{what} {verb} {rows} to the {total:,} training rows of the first split, {100 * fraction:.1f} % more."
    before = {name: points(real[name].mean()) for name in (GAP, "accuracy")}
    if generator == REAL:
        return f"{text} Gap {before[GAP]} points, accuracy {before['accuracy']} %."
    mean, low, high = change[SHOWN.index(GAP)]
    text += f" Gap {before[GAP]} → {points(run[GAP].mean())} points"
    if low is not None:
        ends = f"{points(low, signed=True)} to {points(high, signed=True)}"
        text += f" (change {points(mean, signed=True)}, 95 % interval {ends})"
    return text + f", accuracy {before['accuracy']} → {points(run['accuracy'].mean())} %."


def place_content(frames: Mapping[str, pd.DataFrame], place: tuple[str, str]) -> dict | None:
    """Return what the page holds of one dataset and its attributes; None where real rows were not judged."""
    about, counts = at(frames["facts"], place), at(frames["counts"], place)
    runs = split_values(at(frames["splits"], place))
    start = runs.get((NO_PLAN, REAL, 1.0))
    if start is None or about.empty or counts.empty:
        return None
    fact = about.iloc[0]
    test_by_train = float(fact["test_rows"] / fact["train_rows"])
    found = []
    for key, run in runs.items():
        plan, generator, dose = key
        bars, change = bars_of(counts, plan, dose), paired(run, start, test_by_train)
        says = sentence(key, bars, run, start, change, str(fact["positive"]))
        copies = runs.get((plan, BOOTSTRAP, dose))
        if copies is not None and generator != BOOTSTRAP:
            says += f" Copies of real rows bring the gap to {points(copies[GAP].mean())} points."
        values = [
            [[_number(value) for value in side[metric]] for side in (start.reindex(run.index), run)] for metric in SHOWN
        ]
        splits = [int(split) + 1 for split in run.index]
        found.append(
            {
                "plan": plan,
                "generator": generator,
                "dose": float(dose),
                "bars": bars,
                "splits": splits,
                "values": values,
            }
            | {"change": change, "says": says}
        )
    doses = sorted({float(dose) for _, _, dose in runs})
    return {
        "name": place_title(place),
        "rows": f"{fact['train_rows']:,} training and {fact['test_rows']:,} test rows per split",
        "positive": str(fact["positive"]),
        "doses": [0.0, *(dose for dose in doses if dose)] if len(doses) > 1 else doses,
        "runs": found,
    }


def content(frames: Mapping[str, pd.DataFrame]) -> dict:
    """Return what the page holds: titles of plans, generators and measures, and every dataset's runs."""
    held = [place_content(frames, place) for place in places(frames["splits"])]
    held = [place for place in held if place]
    names = {
        kind: list(dict.fromkeys(run[kind] for place in held for run in place["runs"]))
        for kind in ("plan", "generator")
    }
    plans = sorted(names["plan"], key=lambda name: [*TITLES, NO_PLAN].index(name) if name in TITLES else 99)
    return {
        "places": held,
        "plans": [{"key": name, "name": "no plan" if name == NO_PLAN else plan_title(name)} for name in plans],
        "generators": [{"key": name, "name": generator_title(name)} for name in names["generator"]],
        "metrics": [{"name": METRICS[metric], "lower": metric in (GAP, ODDS)} for metric in SHOWN],
    }


def write_explorer(frames: Mapping[str, pd.DataFrame], path: str | Path) -> None:
    """Write the page, whole or not at all; it needs no network."""
    html.write_explorer(
        PAGES, "Add synthetic rows, and see what they do to accuracy and to the gap", content(frames), path
    )
