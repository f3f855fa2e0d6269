"""AdaFair as a reader would first write it: scikit-learn's trees, and Python loops over people.

It is what the benchmark times the compiled loop against, and what the tests compare it with; nothing else uses it.
"""

import math

import numpy as np
from sklearn.tree import DecisionTreeClassifier


def differences(y: np.ndarray, said: np.ndarray, group: np.ndarray) -> tuple[float, float, float]:
    """Return the differences, group 1 minus group 0, of TPR, TNR and acceptance rate, counting people one by one."""
    right = {(g, label): 0 for g in (0, 1) for label in (0, 1)}
    of = dict(right)
    accepted = {0: 0, 1: 0}
    for label, prediction, g in zip(y.tolist(), said.tolist(), group.tolist(), strict=True):
        of[g, label] += 1
        right[g, label] += prediction == label
        accepted[g] += prediction
    tpr, tnr = (right[1, label] / of[1, label] - right[0, label] / of[0, label] for label in (1, 0))
    rates = [accepted[g] / (of[g, 0] + of[g, 1]) for g in (0, 1)]
    return tpr, tnr, rates[1] - rates[0]


def cost(label: int, group: int, gaps: tuple[float, float, float], notion: str, released: bool) -> float:
    """Return the cost of a mistake on one person."""
    tpr, tnr, parity = gaps
    gap = parity if notion == "SP" else tpr
    if label == 1:
        return 1 + max(gap, 0.0) if group == 0 else 1 + max(-gap, 0.0)
    if notion != "DM":
        return 1.0
    if tnr > 0:
        return 1 + tnr if group == 0 else 1.0
    return 1 + abs(tnr) if group == 1 and (tpr if released else tnr) < 0 else 1.0


def adafair(
    x: np.ndarray, y: np.ndarray, group: np.ndarray, notion: str, rounds: int, csb: int = 2, released: bool = True
) -> tuple[list[DecisionTreeClassifier], list[float], int]:
    """Return the stumps, their weights and how many are kept.

    Args:
        x: features [n, d], one column per category; y, group: 0 or 1, each [n].
    """
    weights, votes = np.full(len(y), 1 / len(y)), np.zeros(len(y))
    stumps, alphas, scores = [], [], []
    for t in range(rounds):
        stump = DecisionTreeClassifier(max_depth=1, random_state=0).fit(x, y, sample_weight=weights)
        chances = stump.predict_proba(x)
        said = chances.argmax(1)
        error = float(weights[said != y].sum() / weights.sum())
        alpha = math.log((1 - error) / error)
        stumps.append(stump)
        alphas.append(alpha)
        votes += np.where(said == 1, alpha, -alpha)
        together = (votes > 0).astype(int)
        gaps = differences(y, together, group)
        right = [float((together[y == label] == label).mean()) for label in (0, 1)]
        fair = {"DM": abs(gaps[0]) + abs(gaps[1]), "EOpp": abs(gaps[0]), "SP": abs(gaps[2])}[notion]
        scores.append(1 - sum(right) / 2 + (fair if t else 1.0))
        for i in range(len(y)):
            if said[i] != y[i]:
                price = cost(int(y[i]), int(group[i]), gaps, notion, released) if t else 1.0
                weights[i] *= price * math.exp(alpha * (chances[i].max() if csb == 2 else 1.0))
        weights /= weights.sum()
    return stumps, alphas, int(np.argmin(scores)) + 1
