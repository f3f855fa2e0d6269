"""The enumeration against plain fractions, the counts that are known, and statements that must fail."""

import time
from fractions import Fraction
from itertools import product

import numpy as np
import pytest
import yaml

from scripts.leakage import theory_odds as odds
from scripts.leakage import theory_statements as says
from scripts.leakage.leakage_theory import ON_TABLES, THEOREM, check_all
from scripts.leakage.theory_samples import HALVES, all_samples, repeated_best, sample_identity
from scripts.leakage.theory_tables import all_attacks, all_tables, attack_sums, independent, numerators
from tests.workflow.conftest import ROOT

SENTENCES = yaml.safe_load((ROOT / "scripts/leakage/theory.yaml").read_text(encoding="utf-8"))


def by_fractions(table: np.ndarray, attack: tuple[int, ...]) -> Fraction:
    """Return the balanced accuracy of an attack, straight from its definition."""
    _, k = table.shape
    sizes = [int(size) for size in table.sum(0)]
    right = [
        sum(Fraction(int(n), sizes[g]) for n, told in zip(table[:, g], attack, strict=True) if told == g)
        for g in range(k)
    ]
    return sum(right) / k


@pytest.mark.parametrize(
    ("shape", "count"), [((2, 2, 12), 429), ((3, 3, 6), 1701), ((4, 2, 6), 1548), ((2, 4, 6), 344)]
)
def test_there_are_as_many_tables_as_the_reference_says(shape, count):
    tables = all_tables(*shape)
    assert len(tables) == count == len(np.unique(tables.reshape(count, -1), axis=0))


@pytest.mark.parametrize("shape", [(2, 2, 6), (2, 3, 5), (3, 3, 5), (4, 2, 4)])
def test_integer_sums_are_the_fractions(shape):
    m, k, _ = shape
    tables = all_tables(*shape)[::7]
    sums, (_, denominators) = attack_sums(tables), numerators(tables)
    assert len(all_attacks(m, k)) == k**m
    for table, own, denominator in zip(tables, sums, denominators, strict=True):
        for attack, total in zip(product(range(k), repeat=m), own, strict=True):
            assert Fraction(int(total), k * int(denominator)) == by_fractions(table, attack)


def test_independence_is_that_of_the_joint_law():
    for table in all_tables(3, 2, 5):
        total = int(table.sum())
        law = [
            Fraction(int(table[y, g]), total)
            == Fraction(int(table[y].sum()), total) * Fraction(int(table[:, g].sum()), total)
            for y in range(3)
            for g in range(2)
        ]
        assert independent(table[None])[0] == all(law)


def test_no_theorem_fails_and_every_wrong_formula_does_in_time():
    started = time.process_time()
    checked = check_all(SENTENCES)
    assert time.process_time() - started < 15
    assert set(checked["statement"]) == SENTENCES.keys()
    theorems = checked["kind"] == THEOREM
    assert (checked.loc[theorems, "failures"] == 0).all()
    assert (checked.loc[~theorems, "failures"] > 0).all()
    assert {"L", "T1", "P0", "T2", "P1", "T3", "C3", "EX", "EO", *(f"X{n}" for n in range(1, 10))} <= set(
        checked["statement"]
    )


@pytest.mark.parametrize("statement", ["P0", "T2", "P1", "T3", "C3", "X1", "X2", "X3", "X4", "X5"])
def test_a_statement_fails_when_the_attacks_are_wrong(monkeypatch, statement):
    """With one attack's accuracy off by a little, no statement about accuracies may still hold everywhere."""
    real = attack_sums

    def off(tables):
        sums = real(tables).copy()
        sums[:, 0] += 1
        return sums

    monkeypatch.setattr(says, "attack_sums", off)
    _, function, shapes = ON_TABLES[statement]
    if statement.startswith("X5") or statement == "T3":  # inequalities: only some attack below chance can break them
        sums = real(all_tables(*shapes[0]))
        monkeypatch.setattr(says, "attack_sums", lambda tables: np.minimum(real(tables), sums.min(1, keepdims=True)))
    assert not all(function(all_tables(*shape)).all() for shape in shapes[:1])


def test_the_mended_sign_is_right_and_the_printed_one_is_not():
    tables = odds.odds_tables(10, null_cells=False)
    assert len(tables) == 432
    assert odds.formula_holds(tables, 1).all()
    assert 0 < odds.formula_holds(tables, -1).sum() < len(tables)


def test_equalized_odds_tables_have_equal_odds():
    for table in odds.odds_tables(8, null_cells=False)[::5]:
        for label in (0, 1):
            rates = [Fraction(int(table[label, g, 1]), int(table[label, g].sum())) for g in (0, 1)]
            assert rates[0] == rates[1]


def test_the_sources_example():
    assert odds.example_facts() == odds.EXAMPLE_SAYS
    assert sum(odds.EXAMPLE.values()) == 1


def test_repeated_queries_by_brute_force():
    """Every sequence of answers, not only the number of ones."""
    for queries in (1, 2, 3):
        total = Fraction(0)
        for answers in product((0, 1), repeat=queries):
            laws = []
            for law in HALVES:
                chance = Fraction(0)
                for share, p in law:
                    one = share
                    for answer in answers:
                        one *= p if answer else 1 - p
                    chance += one
                laws.append(chance)
            total += max(laws)
        assert repeated_best(HALVES, queries) == total / 2
    assert repeated_best(HALVES, 1) == Fraction(1, 2) and repeated_best(HALVES, 2) == Fraction(27, 50)


def test_the_sample_identity_counts_people():
    samples = all_samples(4)
    assert len(samples) == 4**4 - 2 * 2**4
    assert sample_identity(samples).all()
