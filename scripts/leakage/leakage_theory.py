"""Rule `leakage_theory`: check every statement of the source on all tables, and count where its wrong formulas fail."""

from collections.abc import Callable, Mapping
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import yaml

from scripts.common import parquet
from scripts.common.logs import job, log
from scripts.common.seeds import seed_from
from scripts.leakage import theory_odds as odds
from scripts.leakage import theory_statements as says
from scripts.leakage.theory_samples import HALVES, all_samples, repeated_best, sample_identity
from scripts.leakage.theory_tables import all_attacks, all_tables, attack_sums, numerators

THEOREM, ERROR = "theorem", "wrong formula"
SHAPES = ((2, 2, 8), (2, 2, 12), (2, 3, 7), (3, 2, 6), (3, 3, 6), (4, 2, 6), (2, 4, 6))  # outputs, groups, total
ANY = SHAPES
BINARY = ((2, 2, 8), (2, 2, 12))
TWO_OUTPUTS = tuple(shape for shape in SHAPES if shape[0] == 2)
TWO_GROUPS = tuple(shape for shape in SHAPES if shape[1] == 2)
SOME_GROUPS = tuple(shape for shape in SHAPES if shape[1] > 2)
ODDS_TOTALS = (8, 10, 12)
PEOPLE = 7  # 4**7 samples
RANDOM_TABLES = 20_000
QUERIES = (1, 2, 5, 20, 100)

# statement: (kind, function, shapes); what it says stands in theory.yaml
ON_TABLES: dict[str, tuple[str, Callable[[np.ndarray], np.ndarray], tuple]] = {
    "L": (THEOREM, says.independence_iff_all_attacks_guess, ANY),
    "T1": (THEOREM, says.parity_iff_all_attacks_guess, ANY),
    "P0": (THEOREM, says.random_choice_has_chance_accuracy, ANY),
    "T2": (THEOREM, says.all_at_chance_iff_all_guess, ANY),
    "P1": (THEOREM, says.best_is_half_of_one_plus_gap, BINARY),
    "T3": (THEOREM, says.below_chance_implies_above, ANY),
    "C3": (THEOREM, says.best_at_chance_iff_independent, ANY),
    "X1": (THEOREM, says.best_is_sum_of_maxima, ANY),
    "X2": (THEOREM, says.best_of_two_outputs, TWO_OUTPUTS),
    "X3": (THEOREM, says.best_of_two_groups, TWO_GROUPS),
    "X4": (THEOREM, says.best_between_variations, ANY),
    "X5": (THEOREM, says.shortfall_returns, ANY),
    "X6": (THEOREM, says.coarser_never_leaks_more, ANY),
    "T2 for one attack, two groups": (THEOREM, says.single_attack_at_chance_guesses, TWO_GROUPS),
    "T2 for one attack, more groups": (ERROR, says.single_attack_at_chance_guesses, SOME_GROUPS),
    "P1, display of the proof": (ERROR, says.display_of_the_proof, BINARY),
    "T1 from label to score": (ERROR, says.parity_of_labels_is_parity_of_scores, ((4, 2, 6),)),
}
ON_ODDS: dict[str, tuple[str, Callable[[np.ndarray], np.ndarray]]] = {
    "EO": (THEOREM, odds.chance_iff_independent),
    "EO, formula with its sign mended": (THEOREM, lambda tables: odds.formula_holds(tables, 1)),
    "EO, formula as printed": (ERROR, lambda tables: odds.formula_holds(tables, -1)),
    "X8": (THEOREM, odds.predicted_leakage_holds),
}
# Stored counterexamples, found by the enumeration.
UNEVEN_ATTACK = (np.array([[[1, 0, 0], [2, 1, 0], [0, 1, 1]]]), np.array([2, 1, 1]))
FAIR_LABEL = np.array([[[1, 0], [0, 1], [1, 1], [1, 1]]])  # scores 0, 1: label 0; scores 2, 3: label 1


def row(statement: str, kind: str, where: str, holds: np.ndarray) -> tuple:
    """Return one line of the table of statements."""
    return statement, kind, where, int(np.size(holds)), int(np.sum(~np.asarray(holds)))


def table_rows() -> list[tuple]:
    """Return the statements on tables of counts, per shape."""
    tables = {shape: all_tables(*shape) for shape in SHAPES}
    rows = []
    for statement, (kind, function, shapes) in ON_TABLES.items():
        for shape in shapes:
            where = f"all {shape[0]}x{shape[1]} tables of total {shape[2]}"
            rows.append(row(statement, kind, where, function(tables[shape])))
    random = np.random.default_rng(seed_from("leakage", "X6")).integers(0, 30, size=(RANDOM_TABLES, 4, 3))
    random = random[(random.sum(1) > 0).all(1)]
    rows.append(row("X6", THEOREM, "random 4x3 tables", says.coarser_never_leaks_more(random)))
    for shape in ((3, 3, 6), (2, 3, 7), (2, 4, 6)):
        least = Fraction(*says.least_return(tables[shape]))
        # a larger shape need not reach the bound: only that of the source is claimed to
        tight = least == Fraction(1, shape[1] - 1) if shape == (3, 3, 6) else least >= Fraction(1, shape[1] - 1)
        where = f"all {shape[0]}x{shape[1]} tables of total {shape[2]}: least ratio {least}"
        name = "X5, tight" if shape == (3, 3, 6) else "X5, least ratio"
        rows.append(row(name, THEOREM, where, np.array([tight])))
    return rows


def odds_rows() -> list[tuple]:
    """Return the statements under equalized odds, with and without empty cells of label and group."""
    rows = []
    for total in ODDS_TOTALS:
        for null_cells, words in ((False, "no empty"), (True, "empty")):
            tables = odds.odds_tables(total, null_cells)
            where = f"all 2x2x2 tables of total {total} with equalized odds, {words} cells{' too' * null_cells}"
            for statement, (kind, function) in ON_ODDS.items():
                rows.append(row(statement, kind, where, function(tables)))
    return rows


def stored_rows() -> list[tuple]:
    """Return the source's example, the stored counterexamples, samples of people and repeated queries."""
    facts = odds.example_facts()
    same = np.array([facts[name] == value for name, value in odds.EXAMPLE_SAYS.items()])
    table, attack = UNEVEN_ATTACK
    place = int((all_attacks(3, 3) == attack).all(1).argmax())
    chance = attack_sums(table)[0, place] == numerators(table)[1][0]
    uneven = np.array([chance and says.at_chance_without_guessing(table)[0, place]])
    curve = [repeated_best(HALVES, queries) for queries in QUERIES]
    grows = np.array([curve[0] == Fraction(1, 2), *(one < more for one, more in pairwise(curve))])
    values = ", ".join(f"{queries}: {float(value):.4f}" for queries, value in zip(QUERIES, curve, strict=True))
    names = ("counterexample to T2 for one attack", "counterexample to T1 from label to score")
    fair = ~says.parity_of_labels_is_parity_of_scores(FAIR_LABEL)
    where = f"all samples of {PEOPLE} people with both groups"
    return [
        row("X7", THEOREM, where, sample_identity(all_samples(PEOPLE))),
        row("EX", THEOREM, "the source's table, seven facts", same),
        row(names[0], THEOREM, "the stored table", uneven),
        row(names[1], THEOREM, "the stored table", fair),
        row("X9", THEOREM, f"best accuracy by queries: {values}", grows),
    ]


def check_all(sentences: Mapping[str, str]) -> pd.DataFrame:
    """Return one row per statement and set of tables: statement, says, kind, checked_on, tables, failures, share.

    Args:
        sentences: what each statement says.

    Raises:
        KeyError: a statement has no sentence.
    """
    columns = ["statement", "kind", "checked_on", "tables", "failures"]
    frame = pd.DataFrame([*table_rows(), *odds_rows(), *stored_rows()], columns=columns)
    frame.insert(1, "says", [sentences[statement] for statement in frame["statement"]])
    return frame.assign(share=frame["failures"] / frame["tables"])


if "snakemake" in globals():
    with job(snakemake):
        sentences = yaml.safe_load(Path(snakemake.input.sentences).read_text(encoding="utf-8"))
        checked = check_all(sentences)
        log.info("%d statements on %d tables", checked["statement"].nunique(), checked["tables"].sum())
        parquet.write(checked, snakemake.output[0])
