"""The null hypothesis that what an attack guesses has nothing to do with the group."""

import numpy as np

from scripts.common.leakage.attacks import group_hits

DRAWS = 2000


def permutation_p_value(guessed: np.ndarray, groups: np.ndarray, k: int, seed: int) -> float:
    """Return P(balanced accuracy at least as large | groups permuted among the rows), the attack left as it is.

    A permutation keeps how often each group is guessed and how often each occurs, so it draws a table with these
    margins. For two groups that is the hypergeometric law and the value is exact (Fisher's one-sided test); for more,
    2,000 tables are drawn and the observed one counts as a draw.
    """
    from scipy import stats  # 0.4 s to import, which jobs that only adjust p-values do not need

    hits, sizes = group_hits(guessed, groups, k)
    told = np.bincount(guessed, minlength=k)
    if k == 2:
        return float(stats.hypergeom.sf(hits[1] - 1, sizes.sum(), sizes[1], told[1]))
    draws = stats.random_table(told, sizes).rvs(DRAWS, random_state=np.random.default_rng(seed))
    accuracy = (np.diagonal(draws, axis1=1, axis2=2) / sizes).mean(1)
    return float((1 + (accuracy >= np.mean(hits / sizes) - 1e-12).sum()) / (1 + DRAWS))
