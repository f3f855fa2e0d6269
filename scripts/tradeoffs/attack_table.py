"""The columns of an attacks file: which images each attack of the ensemble broke."""

import pandas as pd

THREAT = ["run", "row_id", "split", "norm", "eps", "y_true", "male", "clean_correct"]
VERDICTS = ["robust", "published_broken"]  # every further column of an attacks file is an attack


def attack_names(attacks: pd.DataFrame) -> list[str]:
    """Return the columns that say "this attack broke the image", in the order of the attacks."""
    return [name for name in attacks.columns if name not in (*THREAT, *VERDICTS)]
