"""All arms of the study on one split of one data set."""

from dataclasses import dataclass, field

import numpy as np
import scipy.sparse
import xgboost

from scripts.boosting import fair, gradient, mfbpp, names, peers
from scripts.boosting.fair import History, Rows, Settings
from scripts.boosting.gradient import Staged, Trees
from scripts.boosting.people import People, hold_out
from scripts.boosting.stumps import Columns
from scripts.common.log_odds import log_odds
from scripts.common.seeds import seed_from

SINGLE = {  # with one attribute: name -> what AdaFair is told
    names.ADABOOST: {"notion": "none", "csb": 1},
    names.ADAFAIR: {"notion": "DM", "csb": 1},
    names.ADAFAIR_CSB2: {"notion": "DM", "csb": 2},
    names.ADAFAIR_LAST: {"notion": "DM", "csb": 1, "cumulative": False},
    names.ADAFAIR_SP: {"notion": "SP", "csb": 1},
    names.ADAFAIR_EOPP: {"notion": "EOpp", "csb": 1},
    names.ADAFAIR_HELD: {"notion": "DM", "csb": 1},
}


@dataclass(frozen=True)
class Outcome:
    """What an arm says of the test rows: decisions int8, log-odds, and the chance of being accepted if it draws."""

    protocol: str
    arm: str
    y_pred: np.ndarray
    score: np.ndarray
    chance: np.ndarray | None = None


@dataclass
class Fitted:
    """All arms of a split: outcomes, the boosters of stumps with the round kept, and the staged gradient boosters."""

    outcomes: list[Outcome] = field(default_factory=list)
    stumps: dict[tuple[str, str], tuple[History, int]] = field(default_factory=dict)  # by protocol and arm
    staged: dict[tuple[str, str], Staged] = field(default_factory=dict)
    columns: Columns | None = None


@dataclass(frozen=True)
class Parts:
    """The rows of a split, coded: training and test, and their positions."""

    columns: Columns
    train: Rows
    test: Rows
    train_at: np.ndarray
    test_at: np.ndarray

    @property
    def halves(self) -> dict[str, Rows]:
        """Return every other test row: those on which a reader of the explorer chooses, and those that report."""
        rows = self.test
        return {
            name: Rows(rows.codes[start::2], rows.y[start::2], rows.groups[start::2])
            for name, start in (("choice", 0), ("report", 1))
        }


def of_groups(rows: Rows, groups: np.ndarray) -> Rows:
    """Return the rows with other groups, int8 [n, attributes]."""
    return Rows(rows.codes, rows.y, np.ascontiguousarray(groups))


def boosted(found: Fitted, parts: Parts, protocol: str, arm: str, history: History, rounds: int) -> None:
    """Keep a booster of stumps and what it says of the test rows."""
    votes = history.ensemble.first(rounds).votes(parts.test.codes)
    found.stumps[protocol, arm] = history, rounds
    found.outcomes.append(Outcome(protocol, arm, (votes > 0).astype(np.int8), votes.astype(np.float32)))


def adafair(
    found: Fitted, parts: Parts, protocol: str, arm: str, told: dict, rows: Rows, watched: Rows | None = None
) -> None:
    """Fit AdaFair, or AdaBoost, and keep it."""
    rule = {"as_published": "as_released"}.get(protocol, protocol)
    history = fair.fit(parts.columns, rows, Settings(**told, rule=rule), watched)
    boosted(found, parts, protocol, arm, history, fair.chosen_round(history))


def single_arms(found: Fitted, people: People, parts: Parts, study: dict, seed: int) -> None:
    """Fit the boosters for one attribute: as released, and AdaFair with the cost rule of the paper."""
    more = {"rounds": study["rounds"], "balance": study["balance"]}
    for arm, told in SINGLE.items():
        rows, watched = parts.train, None
        if arm == names.ADAFAIR_HELD:
            place = np.arange(len(rows.y))
            kept, held = hold_out(rows.y, place, study["validation_share"], people.table.name, seed)
            watched = Rows(rows.codes[held], rows.y[held], rows.groups[held])
            rows = Rows(rows.codes[kept], rows.y[kept], rows.groups[kept])
        adafair(found, parts, "as_published", arm, told | more, rows, watched)
    adafair(found, parts, "corrected", names.ADAFAIR, SINGLE[names.ADAFAIR] | more, parts.train)


def several_arms(found: Fitted, people: People, parts: Parts, study: dict) -> None:
    """Fit AdaBoost, AdaFair on each attribute and on the cell that is protected in all, and MFBPP."""
    more = {"rounds": study["rounds"], "balance": study["balance"]}
    plain, treated = SINGLE[names.ADABOOST] | more, SINGLE[names.ADAFAIR] | more
    adafair(found, parts, "as_published", names.ADABOOST, plain, parts.train)
    groups = parts.train.groups
    alone = {name: groups[:, [k]] for k, name in enumerate(people.attributes)}
    alone[names.JOINT] = groups.max(1, keepdims=True)
    for name, own in alone.items():
        adafair(found, parts, "as_published", names.on(name), treated, of_groups(parts.train, own))
    preference = study["preferences"].get(people.table.name)
    for protocol in ("as_published", "corrected"):
        released = protocol == "as_published"
        settings = Settings("DM", study["rounds"], rule="corrected", csb=2, stale=released)
        history = fair.fit(parts.columns, parts.train, settings)
        boosted(found, parts, protocol, names.MFBPP, history, mfbpp.chosen_round(history, None, not released))
        if preference:
            kept = mfbpp.chosen_round(history, preference, not released)
            boosted(found, parts, protocol, names.MFBPP_PREFERENCE, history, kept)


def gradient_arms(
    found: Fitted,
    people: People,
    parts: Parts,
    sparse: scipy.sparse.csr_array,
    features: list[str],
    study: dict,
    seed: int,
    stages: bool,
) -> None:
    """Fit xgboost and the fair gradient boosters; both on the same rows, less those that choose the stage."""
    told = dict(study["gradient"])
    notions, weights = told.pop("notions"), told.pop("weights")
    kept, held = hold_out(people.y, parts.train_at, study["validation_share"], people.table.name, "gradient", seed)

    def part(at: np.ndarray) -> tuple[xgboost.DMatrix, Rows]:
        matrix = xgboost.DMatrix(sparse[at], people.y[at], nthread=1, feature_names=features)
        return matrix, Rows(sparse, people.y[at], people.groups[at])

    train, valid, test = part(kept), part(held), part(parts.test_at)[0]
    halves = {name: part(parts.test_at[start::2]) for name, start in (("choice", 0), ("report", 1))} if stages else {}
    plans = {names.XGBOOST: Trees(**told)}
    for notion in notions:
        plans |= {names.fair_xgboost(notion, w): Trees(**told, notion=notion, weight=w) for w in weights}
    for arm, trees in plans.items():
        staged = gradient.fit(train, valid, trees, study["gradient_preference"], halves)
        found.staged["corrected", arm] = staged
        score = staged.margins(test)
        found.outcomes.append(Outcome("corrected", arm, (score > 0).astype(np.int8), score))


def peer_arms(found: Fitted, people: People, parts: Parts, dense: np.ndarray, study: dict, seed: int) -> None:
    """Fit the peers; those that draw decide each test row once.

    scikit-learn's AdaBoost knows no group and is slow, so it runs with one attribute only.
    """
    told, train, test = study["peers"], parts.train_at, parts.test_at
    cells = Rows(dense, people.y, people.groups).cells
    own = (dense[train], people.y[train], cells[train])
    if len(people.attributes) == 1:
        score = peers.adaboost_scores(own, dense[test], told["adaboost_rounds"], seed_from("boosting", seed))
        found.outcomes.append(
            Outcome("corrected", names.SKLEARN, (score > 0).astype(np.int8), score.astype(np.float32))
        )
    chances = {
        names.REDUCTIONS: peers.gradient_chances(own, dense[test], told["eps"], told["iterations"]),
        names.THRESHOLDS: peers.threshold_chances(own, dense[test], cells[test]),
    }
    for arm, chance in chances.items():
        random = np.random.default_rng(seed_from("boosting decisions", people.table.name, arm, seed))
        drawn = (random.random(len(test)) < chance).astype(np.int8)
        found.outcomes.append(
            Outcome("corrected", arm, drawn, log_odds(chance, peers.MARGIN).astype(np.float32), chance)
        )


def fit_split(
    people: People, at: tuple[np.ndarray, np.ndarray], study: dict, seed: int, stages: bool = False
) -> tuple[Fitted, Parts]:
    """Fit all arms on one split.

    Args:
        at: positions of training and test rows.
        study: the study's block of the config.
        stages: count what every stage of the gradient boosters says of the test rows.
    """
    train, test = at
    columns = people.columns(train)
    parts = Parts(columns, people.rows(columns, train), people.rows(columns, test), train, test)
    found = Fitted(columns=columns)
    if len(people.attributes) == 1:
        single_arms(found, people, parts, study, seed)
    else:
        several_arms(found, people, parts, study)
    dense, sparse, features = people.features(train)
    gradient_arms(found, people, parts, sparse, features, study, seed, stages)
    peer_arms(found, people, parts, dense, study, seed)
    return found, parts
