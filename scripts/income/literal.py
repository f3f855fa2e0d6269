"""The notebook's mitigation, run literally, with its faults.

1. It ranks by the larger of both class probabilities, so a woman whom the model rejects with certainty ranks first
   among those to be promoted.
2. It takes rows out of the ranked tables one at a time and writes the new label into what it took: a row so taken is
   a copy, and no label changes. `works` shows what it would do if they did.
3. The new data set is the two ranked tables alone: men with label 1 and women with label 0. All others are gone.
4. The new model is judged on a part of that data set, by its labels.
"""

import numpy as np
import pandas as pd

from scripts.income.massaging import swap_count


def ranked(frame: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the notebook's two tables: group 1 with label 1, confidence upwards; group 0 with label 0, downwards.

    Args:
        frame: columns row, y, group, confidence (the larger class probability).
    """
    first = frame[(frame["group"] == 1) & (frame["y"] == 1)].sort_values("confidence", kind="stable")
    second = frame[(frame["group"] == 0) & (frame["y"] == 0)].sort_values("confidence", ascending=False, kind="stable")
    return first.reset_index(drop=True), second.reset_index(drop=True)


def swap_rows(first: pd.DataFrame, second: pd.DataFrame, n: int, works: bool) -> None:
    """Exchange the labels of the first n rows of the two tables in copies of those rows, as the notebook does.

    Only if it `works` are the copies written back; the notebook leaves that out. It takes the rows one by one, which
    comes to the same.
    """
    ones, others = first.iloc[:n].copy(), second.iloc[:n].copy()
    ones["y"], others["y"] = others["y"].to_numpy(), ones["y"].to_numpy()
    if works:
        first.loc[ones.index, "y"], second.loc[others.index, "y"] = ones["y"], others["y"]


def new_data(
    rows: np.ndarray, y: np.ndarray, group: np.ndarray, score: np.ndarray, works: bool
) -> tuple[np.ndarray, np.ndarray, int]:
    """Return the notebook's new data set: the positions that are left, their labels, and n of the formula.

    Args:
        rows: positions of the rows that the base model scored, [n]; y, group and score belong to them.
        score: log-odds of the base model.
        works: whether the swap changes labels; in the notebook it does not.
    """
    confidence = 1 / (1 + np.exp(-np.abs(score.astype(float))))
    first, second = ranked(pd.DataFrame({"row": rows, "y": y, "group": group, "confidence": confidence}))
    n = min(max(round(swap_count(group, score > 0)), 0), len(first), len(second))
    swap_rows(first, second, n, works)
    joined = pd.concat([first, second], ignore_index=True)
    return joined["row"].to_numpy(), joined["y"].to_numpy(np.int8), n
