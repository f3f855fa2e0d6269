"""Synthetic rows of one split: how many each plan wants, checks before anything is fitted, and the rows themselves."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from scripts.common.errors import UserError
from scripts.common.mixed_table import MixedTable, concatenate
from scripts.common.seeds import seed_from
from scripts.imbalance.generators import GENERATORS, Fitted, fewest_rows, fit
from scripts.imbalance.people import People
from scripts.imbalance.plans import at_dose, by_group, rows_to_add

LABEL = "label"  # the column of the label, where a plan fills whole groups
BYTES_PER_VALUE = 24  # of the rows while they are generated, joined and fitted


@dataclass(frozen=True)
class Synthetic:
    """Rows that one plan and generator add in one split: `group` int16 [n], `label` int8 [n], their features.

    The rows of a cell (of a group, where the plan fills groups) stand together, in the order in which they were drawn.
    """

    plan: str
    generator: str
    split: int
    draw: int
    group: np.ndarray
    label: np.ndarray
    table: MixedTable

    def first(self, dose: float) -> np.ndarray:
        """Return the positions of the rows that are added at a dose: the first of each part, rounded down."""
        part = self.group if by_group(self.plan) else 2 * self.group.astype(np.int64) + self.label
        kept = [np.flatnonzero(part == key) for key in np.unique(part)]
        kept = [rows[: int(len(rows) * dose + 1e-9)] for rows in kept]
        return np.concatenate(kept) if kept else np.empty(0, np.int64)


@dataclass
class Seconds:
    """CPU seconds by plan and generator, (fit, sample), summed over splits; a fit that plans share counts in each."""

    spent: dict[tuple[str, str], list[float]] = field(default_factory=dict)

    def add(self, plan: str, generator: str, fitting: float, sampling: float) -> None:
        """Add one augmentation."""
        own = self.spent.setdefault((plan, generator), [0.0, 0.0, 0])
        own[0] += fitting
        own[1] += sampling
        own[2] += 1


def wanted_rows(people: People, train: np.ndarray, plan: str, dose: float = 1.0) -> dict[int, int]:
    """Return how many rows a plan adds to each part that gets any; a part is a cell, or a group (plan protected)."""
    added = at_dose(rows_to_add(plan, people.counts(train), people.group_names).ravel(), dose)
    return {int(part): int(added[part]) for part in np.flatnonzero(added)}


def part_name(people: People, plan: str, part: int) -> str:
    """Return the words for a part: "women, label 1" or "women"."""
    return people.group_names[part] if by_group(plan) else people.cell_name(part)


def check_augmentation(
    people: People,
    trains: Sequence[np.ndarray],
    plans: Sequence[str],
    generators: Sequence[str],
    settings: Mapping[str, Mapping[str, Any]],
    most_added: float,
    memory_mb: float,
    dose: float = 1.0,
    split_named: bool = True,
) -> None:
    """Check every plan and generator on every split before anything is fitted.

    Args:
        trains: positions of the training rows of every split.
        most_added: the largest number of rows that a plan may add, as a multiple of the training rows.
        memory_mb: memory for the rows of one plan and generator.
        dose: the fraction of every plan that is carried out.
        split_named: False where there is one split with all rows, which messages then do not name.

    Raises:
        UserError: a plan cannot be computed or adds too many rows, or a part has too few rows for a generator, or a
            generator needs numbers and there are none.
    """
    name, columns = people.table.name, len(people.features.schema.order)
    for generator in generators:
        if GENERATORS[generator].needs_numbers and not people.features.schema.numeric:
            raise UserError(
                f"{name}: {generator} needs a numeric column, and this table has none; leave it out of its generators"
            )
    for split, train in enumerate(trains):
        counts, where = people.counts(train), f" in split {split}" if split_named else ""
        for plan in plans:
            wanted = wanted_rows(people, train, plan, dose)
            total = sum(wanted.values())
            if total > most_added * len(train):
                raise UserError(
                    f"{name}: plan {plan} would add {total:,} rows to {len(train):,}{where}, more than "
                    f"{most_added:g} times as many; take another plan, or raise imbalance.most_added"
                )
            needed = (total + len(train)) * columns * BYTES_PER_VALUE / 1e6
            if needed > memory_mb:
                raise UserError(
                    f"{name}: plan {plan} would add {total:,} rows, which needs about {needed:,.0f} MB where "
                    f"{memory_mb:,.0f} MB are allowed; take fewer rows or another plan"
                )
            sizes = counts.sum(1) if by_group(plan) else counts.ravel()
            for part in wanted:
                _check_part(people, plan, part, int(sizes[part]), where, generators, settings)


def _check_part(
    people: People,
    plan: str,
    part: int,
    size: int,
    where: str,
    generators: Sequence[str],
    settings: Mapping[str, Mapping[str, Any]],
) -> None:
    name, words = people.table.name, part_name(people, plan, part)
    if size == 0:
        raise UserError(
            f"{name}: plan {plan} adds rows to {words}, which has none among the training rows{where}; "
            "join groups, or take another plan"
        )
    for generator in generators:
        if size < (fewest := fewest_rows(generator, settings[generator])):
            raise UserError(
                f"{name}: {words} has {size} training rows{where}, and {generator} needs {fewest}; "
                "join groups, or leave the generator or the plan out"
            )


def augment(
    people: People,
    features: MixedTable,
    train: np.ndarray,
    split: int,
    plans: Sequence[str],
    generators: Sequence[str],
    settings: Mapping[str, Mapping[str, Any]],
    draw: int,
    seconds: Seconds | None = None,
    dose: float = 1.0,
) -> list[Synthetic]:
    """Return the synthetic rows of every plan and generator of one split and draw.

    A generator is fitted once for all plans that fill cells, and once where groups are filled.

    Args:
        features: those of the people, without gaps.
        train: positions of the training rows.
        seconds: where CPU seconds are added up, if wanted.
        dose: the fraction of each plan's rows that is drawn.
    """
    names = (people.table.name, people.attribute, split, draw)
    made = []
    for generator in generators:
        for groups_filled in (False, True):
            own = [plan for plan in plans if by_group(plan) == groups_filled]
            wanted = {plan: wanted_rows(people, train, plan, dose) for plan in own}
            parts = sorted({part for rows in wanted.values() for part in rows})
            table, part = features.take(train), people.cells[train]
            if groups_filled:
                table, part = table.with_category(LABEL, people.y[train], ("0", "1")), people.groups[train]
            start = time.process_time()
            random = np.random.default_rng(seed_from("imbalance fit", generator, groups_filled, *names))
            fitted = fit(generator, table, part, parts, settings[generator], random) if parts else None
            fitting = time.process_time() - start
            for plan in own:
                start = time.process_time()
                random = np.random.default_rng(seed_from("imbalance draw", generator, plan, *names))
                made.append(_drawn(table, fitted, wanted[plan], plan, generator, split, draw, random))
                if seconds is not None:
                    seconds.add(plan, generator, fitting, time.process_time() - start)
    return made


def _drawn(
    table: MixedTable,
    fitted: Fitted | None,
    wanted: Mapping[int, int],
    plan: str,
    generator: str,
    split: int,
    draw: int,
    random: np.random.Generator,
) -> Synthetic:
    tables = [fitted.sample(part, rows, random) for part, rows in wanted.items()]
    rows = concatenate([table.take(np.empty(0, np.int64)), *tables])
    part = np.repeat(np.array([*wanted], np.int64), [*wanted.values()])
    if by_group(plan):
        rows, label = rows.without_last_category()
        return Synthetic(plan, generator, split, draw, part.astype(np.int16), label.astype(np.int8), rows)
    return Synthetic(plan, generator, split, draw, (part // 2).astype(np.int16), (part % 2).astype(np.int8), rows)
