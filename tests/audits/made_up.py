"""A made-up file of predictions."""

from pathlib import Path

import numpy as np
import pandas as pd

ENTRY = {"label": "income", "prediction": "predicted", "attributes": ["sex", "race"]}


def people(n: int = 3000, seed: int = 0) -> pd.DataFrame:
    """Return n people, whose decisions and scores depend on sex a good deal and on race a little."""
    random = np.random.default_rng(seed)
    sex = random.choice(["Female", "Male"], n, p=[0.4, 0.6])
    race = random.choice(["Asian", "Black", "White"], n, p=[0.1, 0.2, 0.7])
    score = random.normal(size=n) + (sex == "Male") + 0.2 * (race == "White")
    label = score + random.normal(size=n) > 1.4
    return pd.DataFrame(
        {
            "person": np.arange(n) + 100,
            "sex": sex,
            "race": race,
            "income": np.where(label, ">50K", "<=50K"),
            "predicted": np.where(score > 1.2, ">50K", "<=50K"),
            "score": score,
        }
    )


def entry(folder: Path, frame: pd.DataFrame, name: str = "people.csv", **more: object) -> dict:
    """Write the file and return the block of the config that audits it."""
    frame.to_csv(folder / name, index=False)
    return {"predictions": str(folder / name), **ENTRY, **more}
