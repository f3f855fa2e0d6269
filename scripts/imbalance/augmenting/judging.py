"""What a user should know of synthetic rows: how close they are to real ones, copies of real people, and warnings."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from scripts.common.errors import UserError
from scripts.common.interval_kinds import PARTS
from scripts.common.mixed_table import MixedTable
from scripts.common.seeds import shuffled
from scripts.common.tabular import FEWEST
from scripts.imbalance.augmentation import Synthetic, augment, check_augmentation, part_name
from scripts.imbalance.augmenting.sentences import percent
from scripts.imbalance.imbalance_quality import Split
from scripts.imbalance.part_quality import Measured
from scripts.imbalance.people import MANY_GROUPS, People
from scripts.imbalance.plans import by_group
from scripts.imbalance.splits import fill_gaps

HELD_OUT = 3  # one row of so many of each group and label
LISTED = 8  # names in a sentence
JUDGED = 1  # the number of the split in which the generator is judged; the table itself is split 0


def held_out_rows(cells: np.ndarray, *names: object) -> tuple[np.ndarray, np.ndarray]:
    """Return positions of two thirds of the rows of every cell, and of the other third, chosen by names."""
    kept, held_out = [], []
    for cell in np.unique(cells):
        rows = np.flatnonzero(cells == cell)
        rows = rows[shuffled(len(rows), "augment held out", *names, int(cell))]
        held_out.append(rows[: len(rows) // HELD_OUT])
        kept.append(rows[len(rows) // HELD_OUT :])
    return np.sort(np.concatenate(kept)), np.sort(np.concatenate(held_out))


def quality(
    people: People,
    entry: Mapping[str, Any],
    settings: Mapping[str, Mapping[str, Any]],
    limits: Mapping[str, float],
    judging: Mapping[str, int],
) -> tuple[list[dict[str, Any]], str]:
    """Return how close rows of the generator are to real ones, and why this is not known ("" if it is).

    The generator is fitted again, on two thirds of the rows, and its rows are compared with the other third, which it
    has not seen. Beside each number stands what real rows reach in the place of synthetic ones.

    Args:
        entry: plan, generator, seed and dose.
        settings: of every generator.
        limits: most_added and memory_mb, see `check_augmentation`.
        judging: rows and rounds, see `imbalance_quality.quality`.
    """
    plan, generator, seed, dose = (entry[name] for name in ("plan", "generator", "seed", "dose"))
    train, test = held_out_rows(people.cells, people.table.name, people.attribute, seed)
    try:
        check_augmentation(people, [train], [plan], [generator], settings, **limits, dose=dose, split_named=False)
        features = fill_gaps(people.features, train)
    except UserError as error:
        return [], f"Quality is not judged, since two thirds of the rows are too few: {error}."
    synthetic = augment(people, features, train, JUDGED, [plan], [generator], settings, seed, dose=dose)[0]
    if not len(synthetic.label) or not len(test):
        return [], "Quality is not judged, since the plan adds no row to two thirds of the table."
    own, real = Split(people, train, test, JUDGED, **judging).quality(synthetic)
    return [_line(metric, found, real.get(metric)) for metric, found in own.items() if not np.isnan(found.value)], ""


def _line(metric: str, own: Measured, real: Measured | None) -> dict[str, Any]:
    known = not np.isnan(own.low)
    line = {"metric": metric, "value": own.value, "ci_low": own.low if known else None}
    line |= {"ci_high": own.high if known else None, "interval": PARTS if known else None, "n": own.n}
    return line | {"real": None if real is None or np.isnan(real.value) else real.value}


def copies(real: MixedTable, synthetic: MixedTable) -> np.ndarray:
    """Return which synthetic rows equal a real row in every feature, bool [n]."""
    keys = [np.concatenate([table.numeric, table.codes], axis=1) + 0.0 for table in (real, synthetic)]  # -0.0 is 0.0
    if not keys[0].shape[1] or not len(synthetic):
        return np.zeros(len(synthetic), bool)
    rows = [np.ascontiguousarray(key).view(np.dtype((np.void, 8 * key.shape[1]))).ravel() for key in keys]
    return np.isin(rows[1], rows[0])


def unusual(people: People, features: MixedTable, rows: Synthetic) -> list[str]:
    """Return in sentences where synthetic rows have values that no real row of their group and label has."""
    schema, sentences = features.schema, []
    outside = dict.fromkeys(schema.numeric, 0)
    new = dict.fromkeys(schema.categorical, 0)
    cells = 2 * rows.group.astype(np.int64) + rows.label
    for cell in np.unique(cells):
        real, own = people.cells == cell, cells == cell
        if not real.any():
            sentences.append(f"{people.cell_name(int(cell))}: no real row is so, {int(own.sum())} synthetic ones are.")
            continue
        for place, name in enumerate(schema.numeric):
            values, drawn = features.numeric[real, place], rows.table.numeric[own, place]
            outside[name] += int(((drawn < values.min()) | (drawn > values.max())).sum())
        for place, name in enumerate(schema.categorical):
            new[name] += int((~np.isin(rows.table.codes[own, place], features.codes[real, place])).sum())
    for found, what in ((outside, "a number outside the range"), (new, "a category that is none")):
        if named := [f"{name} ({count:,} rows)" for name, count in found.items() if count]:
            sentences.append(f"Synthetic rows have {what} of real rows of their group and label: {_listed(named)}.")
    return sentences


def warnings(
    people: People,
    features: MixedTable,
    rows: Synthetic,
    settings: Mapping[str, Any],
) -> list[str]:
    """Return what to know before the synthetic rows are used, in sentences.

    Args:
        features: those of the people, without gaps.
        settings: of the generator.
    """
    if not len(rows.label):
        return ["The plan adds no row: the table has what the plan asks for, or the dose is below one row."]
    copied = int(copies(features, rows.table).sum())
    found = []
    if copied:
        found.append(
            f"{copied:,} of {len(rows.label):,} synthetic rows ({percent(copied, len(rows.label))}) equal a real row "
            "in every feature: they repeat records of real people, so treat the file as personal data."
        )
    parts = rows.group if by_group(rows.plan) else 2 * rows.group.astype(np.int64) + rows.label
    real = np.bincount(people.groups if by_group(rows.plan) else people.cells)
    sizes = {part_name(people, rows.plan, int(part)): int(real[part]) for part in np.unique(parts)}
    if small := [f"{name} ({size})" for name, size in sizes.items() if size < FEWEST]:
        found.append(
            f"Rows are made from fewer than {FEWEST} real ones, too few to know their spread: {_listed(small)}."
        )
    leaves = 2 * settings["leaf"] if rows.generator == "cart" else 0
    if small := [f"{name} ({size})" for name, size in sizes.items() if size < leaves]:
        found.append(f"Columns are drawn one by one where there are fewer than two leaves of rows: {_listed(small)}.")
    if (groups := len(people.group_names)) > MANY_GROUPS:
        smallest = int(np.bincount(people.groups).min())
        found.append(f"{groups} groups, the smallest of {smallest} rows: a gap between them is mostly noise.")
    return found + unusual(people, features, rows)


def without_value(people: People, empty: Sequence[str]) -> list[str]:
    """Return a sentence on each sensitive column among those that synthetic rows lack."""
    sensitive = dict.fromkeys(attribute.column for attribute in people.table.attributes.values())
    return [
        f"{name}: a sensitive column, and empty in synthetic rows, since it is no feature; list it under numeric or "
        "categorical in the description of the table."
        for name in sensitive
        if name in empty
    ]


def _listed(names: list[str]) -> str:
    more = len(names) - LISTED
    return ", ".join(names[:LISTED]) + (f" and {more} more" if more > 0 else "")
