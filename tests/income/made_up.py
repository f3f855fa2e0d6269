"""A made-up table in the columns of Adult: men have a high income more often, and the features say so."""

import numpy as np
import pandas as pd


def made_up(n: int = 400, seed: int = 1) -> pd.DataFrame:
    """Return n rows as rule `tabular` writes them."""
    random = np.random.default_rng(seed)
    men, skill = random.random(n) < 0.6, random.normal(size=n)
    y = (skill + 1.2 * men + random.normal(size=n) > 1.0).astype(np.int8)
    numeric = {name: random.integers(1, 9, n) for name in ("age", "fnlwgt", "capital_gain", "capital_loss")}
    words = {name: random.choice(["a", "b", "?"], n) for name in ("workclass", "marital_status", "occupation")}
    frame = pd.DataFrame({"row_id": np.arange(n) + 10, "y": y, **numeric, **words})
    return frame.assign(
        education_num=skill,
        hours_per_week=40.0,
        relationship=np.where(men, "Husband", "Wife"),
        race=random.choice(["White", "other"], n),
        sex=np.where(men, "Male", "Female"),
        native_country="United-States",
        complete=random.random(n) < 0.9,
    )


ENTRY = {"table": "adult_all", "attribute": "sex", "rows": "all", "most_rows": None} | {
    "protocols": ["as_published", "corrected"]
}
GRADIENT = {"eps": 0.05, "iterations": 2, "trees": 5}
