"""Kinds of 95 % intervals: the closed list that the column `interval` holds, and how captions print each kind."""

import pandas as pd

BOOTSTRAP = "bootstrap over rows"
WILSON = "wilson"
NEWCOMBE = "newcombe"
PAIRS = "newcombe over pairs"
NORMAL = "normal"
JOINED = "joined"
PARTS = "joined over parts"
STUDENT = "student over seeds"
RESAMPLED_T = "corrected resampled t"
RANGE = "range"
ROWS_AND_SEEDS = "rows and seeds"
TASKS_AND_SEEDS = "bootstrap over tasks and seeds"

KINDS = {
    BOOTSTRAP: "95 % bootstrap intervals over rows",
    WILSON: "95 % Wilson intervals",
    NEWCOMBE: "95 % Newcombe intervals",
    PAIRS: "95 % intervals over all pairs of groups (Newcombe, Bonferroni)",
    NORMAL: "95 % normal intervals",
    # Zou and Donner, Statistics in Medicine 27 (2008): for two independent numbers
    JOINED: "95 % intervals joined from those of both sides",
    PARTS: "95 % intervals joined from those of the parts",  # of a weighted mean of independent numbers, likewise
    STUDENT: "95 % Student intervals over seeds",
    RESAMPLED_T: "95 % corrected resampled t intervals over splits",
    RANGE: "intervals from the lowest to the highest 95 % bound of any seed",
    ROWS_AND_SEEDS: "95 % intervals over rows and seeds (Student)",
    TASKS_AND_SEEDS: "95 % bootstrap intervals over tasks and seeds",
}


def in_words(kinds: pd.Series | str) -> str:
    """Return the words for a caption or footer, from one kind or from a column `interval` (nulls are skipped).

    Wilson's and Newcombe's intervals stand in for the bootstrap at rates of exactly 0 or 1, so beside it they are not
    named.

    Raises:
        KeyError: a kind is not in the list.
    """
    found = [kinds] if isinstance(kinds, str) else list(dict.fromkeys(kinds.dropna()))
    if BOOTSTRAP in found:
        found = [kind for kind in found if kind not in (WILSON, NEWCOMBE)]
    return "; ".join(KINDS[kind] for kind in found) or "no intervals"
