"""All fits of one split: real rows, controls, augmented tables at every dose, moved codes, sensitivity checks.

Training tables that are equal are fitted once: real rows serve all plans, and moved codes are fitted only where a code
moves.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from scripts.common.mixed_table import MixedTable, concatenate
from scripts.imbalance.augmentation import Synthetic
from scripts.imbalance.classifier import boosted_log_odds, logistic_log_odds
from scripts.imbalance.generators import BOOTSTRAP
from scripts.imbalance.names import (
    CHECKS,
    DUPLICATE_ALL,
    LOGISTIC,
    MAIN,
    NO_PLAN,
    REAL,
    REWEIGHING,
    SENSITIVE_KEPT,
    WEIGHTS,
    method_name,
    run_name,
    without,
)
from scripts.imbalance.people import GROUP, People
from scripts.imbalance.plans import reweighing, rows_to_add, weights_of
from scripts.imbalance.shifted_codes import codes_move, with_moved_codes


@dataclass(frozen=True)
class Fit:
    """What is fitted: a training table with labels and weights, and what it is called."""

    plan: str
    generator: str
    table: MixedTable
    y: np.ndarray
    weight: np.ndarray | None = None
    added: int = 0
    dose: float = 1.0
    draw: int = 0
    variant: str = MAIN
    moved: bool = False


@dataclass(frozen=True)
class Run:
    """A fit's description, and the log-odds of the test rows, float32 [m]."""

    name: str
    about: dict[str, Any]
    log_odds: np.ndarray


@dataclass(frozen=True)
class Split:
    """One split of a dataset: its people, features without gaps, and positions of training and test rows."""

    dataset: str
    number: int
    people: People
    features: MixedTable
    train: np.ndarray
    test: np.ndarray

    @property
    def real(self) -> MixedTable:
        """Return the training rows."""
        return self.features.take(self.train)


def controls(split: Split, plans: Sequence[str], wanted: Sequence[str]) -> Iterator[Fit]:
    """Return real rows and what has no synthetic row: weights of each plan, reweighing, all rows twice."""
    real, y = split.real, split.people.y[split.train]
    counts, cells = split.people.counts(split.train), split.people.cells[split.train]
    yield Fit(NO_PLAN, REAL, real, y)
    if REWEIGHING in wanted:
        yield Fit(NO_PLAN, REWEIGHING, real, y, reweighing(counts).ravel()[cells])
    if DUPLICATE_ALL in wanted:
        yield Fit(NO_PLAN, DUPLICATE_ALL, concatenate([real, real]), np.tile(y, 2), added=len(y))
    for plan in plans if WEIGHTS in wanted else ():
        added = rows_to_add(plan, counts, split.people.group_names)
        yield Fit(plan, WEIGHTS, real, y, weights_of(counts, added).ravel()[cells])


def augmented(split: Split, rows: Synthetic, dose: float = 1.0) -> Fit:
    """Return the fit on real and synthetic rows, the plan carried out to a fraction of its rows."""
    kept = rows.first(dose)
    table = concatenate([split.real, rows.table.take(kept)])
    y = np.concatenate([split.people.y[split.train], rows.label[kept]])
    return Fit(rows.plan, rows.generator, table, y, added=len(kept), dose=dose, draw=rows.draw)


def with_column(table: MixedTable, groups: np.ndarray, people: People) -> MixedTable:
    """Return a table with the sensitive group as one more feature."""
    return table.with_category(GROUP, groups, people.group_names)


def without_column(table: MixedTable, name: str) -> MixedTable:
    """Return a table without a feature."""
    schema = table.schema
    order = tuple(column for column in schema.order if column != name)
    if name in schema.numeric:
        place = schema.numeric.index(name)
        numeric, whole = (tuple(np.delete(np.array(v, object), place)) for v in (schema.numeric, schema.whole))
        schema = replace(schema, numeric=numeric, whole=whole, order=order)
        return MixedTable(schema, np.delete(table.numeric, place, axis=1), table.codes)
    place = schema.categorical.index(name)
    categorical = schema.categorical[:place] + schema.categorical[place + 1 :]
    categories = schema.categories[:place] + schema.categories[place + 1 :]
    schema = replace(schema, categorical=categorical, categories=categories, order=order)
    return MixedTable(schema, table.numeric, np.delete(table.codes, place, axis=1))


def planned(split: Split, synthetic: Sequence[Synthetic], entry: Mapping[str, Any]) -> Iterator[Fit]:
    """Return every fit of a split, as the dataset's entry of the config asks for.

    Args:
        synthetic: of this split.
        entry: plans, controls, doses (of bootstrap, by plan).
    """
    yield from controls(split, entry["plans"], entry["controls"])
    for rows in synthetic:
        fit = augmented(split, rows)
        yield fit
        if codes_move(fit.table):
            yield replace(fit, table=with_moved_codes(fit.table), moved=True)
        if rows.generator == BOOTSTRAP and rows.draw == 0:
            for dose in entry["doses"].get(rows.plan, ()):
                yield augmented(split, rows, dose)


def runs(
    split: Split, synthetic: Sequence[Synthetic], entry: Mapping[str, Any], settings: Mapping[str, Any]
) -> Iterator[Run]:
    """Return all runs of a split; the sensitivity checks fit real rows and bootstrap once more each.

    Args:
        entry: plans, controls, doses, variants, without (features to leave out).
        settings: of the booster.
    """
    test, variants = split.features.take(split.test), [CHECKS[name] for name in entry["variants"]]
    for fit in planned(split, synthetic, entry):
        yield _run(split, fit, boosted_log_odds(fit.table, fit.y, test, settings, fit.weight))
    copies = [rows for rows in synthetic if rows.generator == BOOTSTRAP and rows.draw == 0]
    for rows in (None, *copies):
        fit = Fit(NO_PLAN, REAL, split.real, split.people.y[split.train]) if rows is None else augmented(split, rows)
        if LOGISTIC in variants:
            yield _run(split, replace(fit, variant=LOGISTIC), logistic_log_odds(fit.table, fit.y, test))
        if SENSITIVE_KEPT in variants:
            groups = [split.people.groups[split.train], *([] if rows is None else [rows.group])]
            table = with_column(fit.table, np.concatenate(groups), split.people)
            shown = with_column(test, split.people.groups[split.test], split.people)
            yield _run(split, replace(fit, variant=SENSITIVE_KEPT), boosted_log_odds(table, fit.y, shown, settings))
        for name in entry["without"]:
            table, shown = (without_column(part, name) for part in (fit.table, test))
            yield _run(split, replace(fit, variant=without(name)), boosted_log_odds(table, fit.y, shown, settings))


def _run(split: Split, fit: Fit, log_odds: np.ndarray) -> Run:
    method = method_name(fit.plan, fit.generator)
    name = run_name(split.dataset, method, fit.dose, fit.variant, fit.draw, split.number, fit.moved)
    about = {
        "plan": fit.plan,
        "generator": fit.generator,
        "method": method,
        "dose": fit.dose,
        "variant": fit.variant,
        "draw": fit.draw,
        "split_number": split.number,
        "moved": fit.moved,
        "train_rows": len(split.train),
        "test_rows": len(split.test),
        "added": fit.added,
    }
    return Run(name, about, log_odds)
