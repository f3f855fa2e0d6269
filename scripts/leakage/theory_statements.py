"""What the source states on attribute inference and demographic parity, each as a check over all tables.

A check takes tables [n, m, k] (outputs, groups) and returns bool [n]: where the statement holds. Names are those of the
source's labels, or P, C, X with a number; `bad_...` are formulas of its text that are wrong.
"""

import numpy as np

from scripts.leakage.theory_tables import (
    all_attacks,
    attack_sums,
    coarsen,
    independent,
    numerators,
    random_choice_attacks,
)


def independence_iff_all_attacks_guess(tables: np.ndarray) -> np.ndarray:
    """L: output and group are independent iff every attack is a random choice."""
    return independent(tables) == random_choice_attacks(tables).all(1)


def parity_iff_all_attacks_guess(tables: np.ndarray) -> np.ndarray:
    """T1: all groups have the same conditional law of the output iff every attack is a random choice."""
    over, _ = numerators(tables)
    parity = (over == over[:, :, :1]).all((1, 2))
    return parity == random_choice_attacks(tables).all(1)


def random_choice_has_chance_accuracy(tables: np.ndarray) -> np.ndarray:
    """P0: every attack that is a random choice has balanced accuracy 1/k."""
    _, denominators = numerators(tables)
    return (~random_choice_attacks(tables) | (attack_sums(tables) == denominators[:, None])).all(1)


def all_at_chance_iff_all_guess(tables: np.ndarray) -> np.ndarray:
    """T2: all attacks have balanced accuracy 1/k iff all are random choices."""
    _, denominators = numerators(tables)
    return (attack_sums(tables) == denominators[:, None]).all(1) == random_choice_attacks(tables).all(1)


def single_attack_at_chance_guesses(tables: np.ndarray) -> np.ndarray:
    """bad_T2: T2 read for one attack at a time: whoever has balanced accuracy 1/k is a random choice."""
    return ~at_chance_without_guessing(tables).any(1)


def at_chance_without_guessing(tables: np.ndarray) -> np.ndarray:
    """Return the attacks with balanced accuracy 1/k that are no random choice, bool [n, attacks]."""
    _, denominators = numerators(tables)
    return (attack_sums(tables) == denominators[:, None]) & ~random_choice_attacks(tables)


def best_is_half_of_one_plus_gap(tables: np.ndarray) -> np.ndarray:
    """P1: with two outputs and two groups the best balanced accuracy is (1 + DemParLvl)/2.

    The best attack is the output itself or its opposite; without a gap all four attacks have 1/2.
    """
    over, denominators = numerators(tables)
    sums, gap = attack_sums(tables), abs(over[:, 0, 0] - over[:, 0, 1])
    equal = sums.max(1) == denominators + gap
    straight = (all_attacks(2, 2) == [0, 1]).all(1) | (all_attacks(2, 2) == [1, 0]).all(1)
    by_identity = sums[:, straight].max(1) == sums.max(1)
    without = (sums == denominators[:, None]).all(1) | (gap > 0)
    return equal & by_identity & without


def below_chance_implies_above(tables: np.ndarray) -> np.ndarray:
    """T3: where an attack has less than 1/k, another one has more."""
    _, denominators = numerators(tables)
    sums = attack_sums(tables)
    return (sums.min(1) >= denominators) | (sums.max(1) > denominators)


def best_at_chance_iff_independent(tables: np.ndarray) -> np.ndarray:
    """C3: the best attack has 1/k iff all have, iff output and group are independent."""
    _, denominators = numerators(tables)
    sums = attack_sums(tables)
    best, every = sums.max(1) == denominators, (sums == denominators[:, None]).all(1)
    return (best == independent(tables)) & (best == every)


def best_is_sum_of_maxima(tables: np.ndarray) -> np.ndarray:
    """X1: the best balanced accuracy is (1/k) sum over y of max over g of P(y|g)."""
    over, _ = numerators(tables)
    return attack_sums(tables).max(1) == over.max(2).sum(1)


def best_of_two_outputs(tables: np.ndarray) -> np.ndarray:
    """X2: with two outputs it is (1 + largest minus smallest selection rate)/k."""
    over, denominators = numerators(tables)
    return attack_sums(tables).max(1) == denominators + over[:, 1].max(1) - over[:, 1].min(1)


def doubled_variation(over: np.ndarray, g: int, h: int) -> np.ndarray:
    """Return twice the total variation of two groups' laws, over the common denominator, int64 [n]."""
    return abs(over[:, :, g] - over[:, :, h]).sum(1)


def best_of_two_groups(tables: np.ndarray) -> np.ndarray:
    """X3: with two groups it is (1 + TV)/2; with two outputs TV is DemParLvl."""
    over, denominators = numerators(tables)
    variation = doubled_variation(over, 0, 1)
    same = variation == 2 * abs(over[:, 0, 0] - over[:, 0, 1]) if tables.shape[1] == 2 else True
    return (2 * attack_sums(tables).max(1) == 2 * denominators + variation) & same


def best_between_variations(tables: np.ndarray) -> np.ndarray:
    """X4: (1 + largest pairwise TV)/k <= best <= (1 + min over h of the sum over g of TV(g, h))/k."""
    over, denominators = numerators(tables)
    k = tables.shape[2]
    pairs = np.stack([np.stack([doubled_variation(over, g, h) for g in range(k)]) for h in range(k)])  # [k, k, n]
    best = 2 * attack_sums(tables).max(1)
    return (2 * denominators + pairs.max((0, 1)) <= best) & (best <= 2 * denominators + pairs.sum(1).min(0))


def shortfall_returns(tables: np.ndarray) -> np.ndarray:
    """X5: best - 1/k >= (1/k - BA(a))/(k - 1) for every attack a, and a cyclic shift of a reaches that."""
    return (surplus_of_shifts(tables)[0] >= 0).all(1)


def surplus_of_shifts(tables: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return, per attack a, (k - 1)(best shift - 1/k) - (1/k - BA(a)), and both parts; int64 [n, attacks] each.

    All are k times the quantity over the common denominator. The parts are best shift - 1/k and 1/k - BA(a).
    """
    _, denominators = numerators(tables)
    sums, attacks, k = attack_sums(tables), all_attacks(*tables.shape[1:]), tables.shape[2]
    place = {tuple(attack): number for number, attack in enumerate(attacks)}
    shifts = np.array([[place[tuple((attack + s) % k)] for attack in attacks] for s in range(1, k)])
    above = sums[:, shifts].max(1) - denominators[:, None]
    below = denominators[:, None] - sums
    return np.where(below > 0, (k - 1) * above - below, 0), above, below


def least_return(tables: np.ndarray) -> tuple[int, int]:
    """Return the least (best shift - 1/k) / (1/k - BA(a)) over all tables and attacks below chance, as a fraction."""
    _, above, below = surplus_of_shifts(tables)
    pairs = np.unique(np.column_stack([above[below > 0], below[below > 0]]), axis=0)
    worst = min(range(len(pairs)), key=lambda number: pairs[number, 0] / pairs[number, 1])
    return int(pairs[worst, 0]), int(pairs[worst, 1])


def coarser_never_leaks_more(tables: np.ndarray) -> np.ndarray:
    """X6: no function of the output has a better best attack than the output."""
    over, _ = numerators(tables)
    best, m = over.max(2).sum(1), tables.shape[1]
    coarser = [coarsen(over, mapping, m).max(2).sum(1) for mapping in all_attacks(m, m)]
    return (np.stack(coarser) <= best).all(0)


def display_of_the_proof(tables: np.ndarray) -> np.ndarray:
    """bad_P1: the last display of P1's proof, (1 + |P(0|0) - P(1|1)|)/2, as the best balanced accuracy."""
    over, denominators = numerators(tables)
    return attack_sums(tables).max(1) == denominators + abs(over[:, 0, 0] - over[:, 1, 1])


def parity_of_labels_is_parity_of_scores(tables: np.ndarray) -> np.ndarray:
    """bad_T1: T1 read across exposures: if the label (upper half of the scores) has parity, so has the score."""
    m = tables.shape[1]
    labels = coarsen(tables, (np.arange(m) >= m // 2).astype(int), 2)
    return ~independent(labels) | independent(tables)
