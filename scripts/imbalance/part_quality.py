"""Quality of the synthetic rows of one part (a group with a label, or a whole group), and its mean over parts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from scripts.common.closest_records import Records, distance_ratio, exact_copy_fraction
from scripts.common.mixed_table import MixedTable
from scripts.common.seeds import seed_from, shuffled
from scripts.common.synthetic_quality import association_distance, marginal_distance
from scripts.common.two_sample_classifier import real_synthetic_roc_auc

AUC, COPIES, RATIO = "real_synthetic_roc_auc", "exact_copy_fraction", "closest_record_distance_ratio"
MARGINALS, ASSOCIATIONS = "marginal_distance", "association_distance"
METRICS = (AUC, COPIES, RATIO, MARGINALS, ASSOCIATIONS)
UNDEFINED = (float("nan"),) * 3


@dataclass(frozen=True)
class Measured:
    """A number with its 95 % interval (NaN where there is none), and the rows that were compared."""

    value: float
    low: float
    high: float
    n: int


@dataclass(frozen=True)
class Reference:
    """The real rows of a part: all training rows, and some of its training and test rows for comparisons."""

    records: Records
    train: MixedTable  # as many rows as `held_out`, or all if there are fewer
    held_out: MixedTable
    distances: np.ndarray  # of the held-out rows to the closest training row

    @classmethod
    def of(cls, train: MixedTable, held_out: MixedTable, rows: int, *names: object) -> "Reference":
        """Return the reference of a part.

        Args:
            train, held_out: all of the part's training rows (at least one) and test rows.
            rows: held-out rows at most, chosen at random.
            names: of the part, from which the choice follows.
        """
        records = Records.of(train)
        held_out = held_out.take(shuffled(len(held_out), "quality held out", *names)[:rows])
        sample = train.take(shuffled(len(train), "quality training", *names)[: len(held_out)])
        return cls(records, sample, held_out, records.distances(held_out))


def part_quality(
    synthetic: MixedTable, reference: Reference, rows: int, rounds: int, *names: object
) -> dict[str, Measured]:
    """Return `METRICS` of the synthetic rows of a part.

    Distributions and the classifier compare as many synthetic rows as there are held-out ones, at most.

    Args:
        synthetic: all rows of the part, of which some are chosen at random.
        rows: synthetic rows at most.
        rounds: of the classifier.
        names: of the part, plan, generator, split and draw, from which all random choices follow.
    """
    chosen = synthetic.take(shuffled(len(synthetic), "quality synthetic", *names)[:rows])
    distances, seed = reference.records.distances(chosen), seed_from("quality", *names)
    found = {
        COPIES: Measured(*exact_copy_fraction(distances), len(chosen)),
        RATIO: Measured(*distance_ratio(distances, reference.distances, seed), len(chosen)),
    }
    as_many = chosen.take(np.arange(min(len(chosen), len(reference.held_out))))
    return found | _distributions(as_many, reference, rounds, seed)


def real_quality(reference: Reference, rounds: int, *names: object) -> dict[str, Measured]:
    """Return what real rows reach in the place of synthetic ones.

    Training rows are compared with held-out ones in distribution and by the classifier, and held-out rows are looked up
    among the training rows for copies; their ratio of distances is 1 by definition and left out.
    """
    copies = Measured(*exact_copy_fraction(reference.distances), len(reference.distances))
    return {COPIES: copies} | _distributions(reference.train, reference, rounds, seed_from("quality", *names))


def mean_over_parts(parts: Sequence[Mapping[str, Measured]], weights: Sequence[float]) -> dict[str, Measured]:
    """Return the weighted mean of each metric over the parts in which it is defined.

    The intervals of independent parts are joined by the squares of the distances to their ends (Zou and Donner,
    Statistics in Medicine 27, 2008); there is none where a part has none.

    Args:
        weights: of the parts, positive: the rows that each gets.
    """
    means = {}
    for metric in dict.fromkeys(name for part in parts for name in part):
        pairs = [(part[metric], weight) for part, weight in zip(parts, weights, strict=True) if metric in part]
        pairs = [(own, weight) for own, weight in pairs if not np.isnan(own.value)]
        if not pairs:
            means[metric] = Measured(*UNDEFINED, 0)
            continue
        values = np.array([(own.value, own.low, own.high) for own, _ in pairs])
        fractions = np.array([weight for _, weight in pairs], float)
        fractions /= fractions.sum()
        value = float(fractions @ values[:, 0])
        below, above = (float(np.sqrt((fractions**2) @ (values[:, end] - values[:, 0]) ** 2)) for end in (1, 2))
        means[metric] = Measured(value, value - below, value + above, sum(own.n for own, _ in pairs))
    return means


def _distributions(rows: MixedTable, reference: Reference, rounds: int, seed: int) -> dict[str, Measured]:
    real, n = reference.held_out, len(rows)
    gap = float("nan")
    return {
        AUC: Measured(*real_synthetic_roc_auc(real, rows, seed, rounds), n),
        MARGINALS: Measured(marginal_distance(real, rows), gap, gap, n),
        ASSOCIATIONS: Measured(association_distance(real, rows), gap, gap, n),
    }
