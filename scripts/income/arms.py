"""All arms of the study on one split of one data set."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from scripts.common.log_odds import log_odds
from scripts.common.logs import log
from scripts.common.seeds import seed_from
from scripts.income import reweighing
from scripts.income.fairlearn_arms import gradient_probabilities, threshold_probabilities
from scripts.income.literal import new_data
from scripts.income.massaging import chosen_swaps, swapped
from scripts.income.model import MOST, Binned, draw, fit, scores
from scripts.income.names import (
    BASE,
    BLIND,
    BLIND_MASSAGING,
    GRADIENT,
    LABEL_MASSAGING,
    MASSAGING,
    REWEIGHING,
    THRESHOLDS,
    UNTOUCHED,
    WORKING,
    WORKING_UNTOUCHED,
)
from scripts.income.people import TEST, People, Split

Judge = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]  # rows -> labels and scores of them


@dataclass(frozen=True)
class Outcome:
    """What an arm says of some rows: positions, labels it is judged by, decisions (int8) and log-odds, each [m]."""

    protocol: str
    arm: str
    split: str
    rows: np.ndarray
    y_true: np.ndarray
    y_pred: np.ndarray
    score: np.ndarray


@dataclass(frozen=True)
class Swapping:
    """A training set with some labels swapped: the share of the formula's n, the swaps each way, and the outcome."""

    share: float
    swaps: int
    outcome: Outcome


@dataclass(frozen=True)
class Altered:
    """What the notebook's procedure does to a data set, with the swap as it is or as it was meant."""

    works: bool
    n: int  # of the formula: swaps that were meant
    changed: int  # labels that differ from the data
    before: int  # rows
    after: int
    told_by_group: float  # share of the rows left whose label is their group


def outcomes(people: People, protocol: str, arm: str, parts: dict[str, np.ndarray], judge) -> list[Outcome]:
    """Return the outcome per part; `judge` gives (decisions, log-odds) of the rows at some positions."""
    found = []
    for name, rows in parts.items():
        y_pred, score = judge(rows)
        found.append(Outcome(protocol, arm, name, rows, people.y[rows], y_pred, score))
    return found


def by_model(model, x: np.ndarray) -> Judge:
    """Return the judge of a model that accepts where its log-odds are above 0."""

    def judge(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        score = scores(model, x[rows])
        return (score > 0).astype(np.int8), score

    return judge


def by_chance(accept: np.ndarray, seed: int) -> Judge:
    """Return the judge that accepts row i with probability `accept[i]`, drawn once for every row of the data set."""
    drawn, score = draw(accept, seed), log_odds(accept, MOST).astype(np.float32)

    def judge(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return drawn[rows], score[rows]

    return judge


def corrected(
    people: People, split: Split, seed: int, shares: list[float], gradient: dict
) -> tuple[list[Outcome], list[Swapping]]:
    """Return all corrected arms on the validation and test part, and what each share of swaps does to the latter.

    Every model is fitted on the training part alone; only its labels or weights differ. Thresholds are chosen on the
    validation part.

    Args:
        shares: multiples of the formula's n; 0 is the base model, 1 is massaging.
        gradient: eps, iterations and trees of the exponentiated gradient.
    """
    parts = {"valid": split.valid, "test": split.test}
    x, kept = people.features(split.train)
    blind, train = x[:, kept], x[split.train]
    rows, blind_rows = Binned(train), Binned(blind[split.train])
    y, group, valid = people.y[split.train], people.group[split.train], split.valid
    base = rows.fit(y)
    ranking = scores(base, train)
    massaged = swapped(y, chosen_swaps(y, group, ranking))
    counted_on_labels = swapped(y, chosen_swaps(y, group, ranking, count_labels=True))
    models = {
        BASE: (base, x),
        BLIND: (blind_rows.fit(y), blind),
        REWEIGHING: (rows.fit(y, reweighing.weights(y, people.groups[split.train])), x),
        MASSAGING: (rows.fit(massaged), x),
        LABEL_MASSAGING: (rows.fit(counted_on_labels), x),
        BLIND_MASSAGING: (blind_rows.fit(massaged), blind),
    }
    found = []
    for arm, (model, features) in models.items():
        found += outcomes(people, "corrected", arm, parts, by_model(model, features))
    judged = np.concatenate([*parts.values()])
    cut_by = people.groups if in_every_group(people, valid) else people.group
    chosen_on = (x[valid], people.y[valid], cut_by[valid])
    accepted = {
        THRESHOLDS: threshold_probabilities(base, chosen_on, x[judged], cut_by[judged]),
        GRADIENT: gradient_probabilities((train, y, people.groups[split.train]), x[judged], **gradient, binned=rows),
    }
    for arm, probabilities in accepted.items():
        accept = np.full(len(x), np.nan)
        accept[judged] = probabilities
        judge = by_chance(accept, seed_from("income decisions", people.table.name, arm, seed))
        found += outcomes(people, "corrected", arm, parts, judge)
    return found, swappings(people, split, x, rows, ranking, shares, models)


def in_every_group(people: People, rows: np.ndarray) -> bool:
    """Return whether every group has both labels among some rows, as thresholds per group need; log it if not."""
    held = set(zip(people.groups[rows].tolist(), people.y[rows].tolist(), strict=True))
    whole = len(held) == 2 * len(people.table.attributes[people.attribute].groups)
    if not whole:
        log.warning("%s: a group of %s lacks a label in the validation part, so thresholds are those of two groups: %s",
                    people.table.name, people.attribute, " and ".join(people.names))  # fmt: skip
    return whole


def swappings(
    people: People,
    split: Split,
    x: np.ndarray,
    rows: Binned,
    ranking: np.ndarray,
    shares: list[float],
    models: dict,
) -> list[Swapping]:
    """Return the outcome on the test part for each share of the formula's n; `models` holds those of 0 and 1."""
    y, group, found = people.y[split.train], people.group[split.train], []
    at_hand = {0: models[BASE][0], 1: models[MASSAGING][0]}
    for share in shares:
        swaps = chosen_swaps(y, group, ranking, share)
        model = at_hand.get(share) or rows.fit(swapped(y, swaps))
        (outcome,) = outcomes(people, "corrected", MASSAGING, {"test": split.test}, by_model(model, x))
        found.append(Swapping(share, len(swaps.demoted), outcome))
    return found


def as_published(people: People, split: Split, seed: int) -> tuple[list[Outcome], list[Altered]]:
    """Return the notebook's base model and what its mitigation leads to, and what that does to the data.

    The notebook alters all rows, those of its test part included. So that a test part stays untouched, the procedure
    also runs on the training part of 70 % alone.
    """
    x, _ = people.features(split.fitted)
    base = fit(x[split.fitted], people.y[split.fitted])
    found = outcomes(people, "as_published", BASE, {"test": split.test}, by_model(base, x))
    everybody, altered = np.arange(len(x)), []
    for works, own_arm, untouched_arm in ((False, MASSAGING, UNTOUCHED), (True, WORKING, WORKING_UNTOUCHED)):
        for rows, arm in ((everybody, own_arm), (split.fitted, untouched_arm)):
            left, y, n = new_data(rows, people.y[rows], people.group[rows], scores(base, x[rows]), works)
            order = np.random.default_rng(seed_from("income altered", people.table.name, arm, seed)).permutation(
                len(left)
            )
            test, train = order[: round(TEST * len(left))], order[round(TEST * len(left)) :]
            judge = by_model(fit(x[left[train]], y[train]), x)
            if arm == own_arm:
                y_pred, score = judge(left[test])
                found.append(Outcome("as_published", arm, "test", left[test], y[test], y_pred, score))
                changed, told = int((y != people.y[left]).sum()), float((y == people.group[left]).mean())
                altered.append(Altered(works, n, changed, len(rows), len(left), told))
            else:
                found += outcomes(people, "as_published", arm, {"test": split.test}, judge)
    return found, altered
