"""Made-up people for the tests: quick to fit, with the columns of a real table."""

import numpy as np
import pandas as pd

from scripts.boosting.fair import Rows
from scripts.boosting.people import FEATURES
from scripts.boosting.stumps import Columns

NUMERIC, CATEGORICAL = ["age", "hours"], ["job", "sex"]


def small(rows: int = 400, seed: int = 0) -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    """Return features, labels and two attributes [rows, 2]; group 1 of both is favoured."""
    random = np.random.default_rng(seed)
    groups = (random.random((rows, 2)) < [0.5, 0.6]).astype(np.int8)
    age, hours = random.integers(18, 70, rows), random.integers(1, 60, rows)
    job = random.choice(["clerk", "nurse", "smith"], rows)
    raw = 0.03 * age + 0.05 * hours + 0.8 * groups[:, 0] + 0.6 * groups[:, 1] + (job == "smith") * 0.7
    y = (raw + random.normal(0, 0.8, rows) > np.median(raw)).astype(np.int8)
    frame = pd.DataFrame({"age": age, "hours": hours, "job": job, "sex": np.where(groups[:, 0], "man", "woman")})
    return frame, y, groups


def coded(rows: int = 400, seed: int = 0, attributes: int = 1) -> tuple[Columns, Rows, pd.DataFrame]:
    """Return the same as columns and coded rows, and the raw features."""
    frame, y, groups = small(rows, seed)
    columns = Columns.fit(frame, NUMERIC, CATEGORICAL)
    return columns, Rows(columns.codes(frame), y, groups[:, :attributes].copy()), frame


def adult_table(rows: int = 600, seed: int = 0) -> pd.DataFrame:
    """Return a table with the columns of `adult` as rule `tabular` writes it."""
    random = np.random.default_rng(seed)
    men, white = random.random(rows) < 0.65, random.random(rows) < 0.8
    numeric, categorical = FEATURES["adult"]
    frame = pd.DataFrame({name: random.integers(0, 40, rows) for name in [*numeric, "education_num"]})
    frame = frame.assign(**{name: random.choice(["a", "b", "c"], rows) for name in categorical if name not in frame})
    frame = frame.assign(sex=np.where(men, "Male", "Female"), race=np.where(white, "White", "Black"))
    y = frame["age"] + 12 * men + 8 * white + random.normal(0, 8, rows) > 34
    return frame.assign(row_id=np.arange(rows), y=y.astype(np.int8))


STUDY = {
    "seeds": [0, 1],
    "train_share": {"one": 0.5, "several": 0.6},
    "rounds": 12,
    "balance": 1,
    "validation_share": 0.25,
    "preferences": {"adult": [0.4, 0.4, 0.2]},
    "gradient": {"rounds": 5, "depth": 2, "learning_rate": 0.3, "notions": ["DP", "EO"], "weights": [0.1]},
    "gradient_preference": None,
    "peers": {"adaboost_rounds": 3, "eps": 0.1, "iterations": 2},
}

ONE, SEVERAL = ({"table": "adult", "attributes": own, "most_rows": None} for own in (["sex"], ["sex", "race"]))
