"""Named steps that some files need between reading and selecting: each takes a frame and returns one.

A description names them under `steps`; one with settings is a mapping, {step: settings}.
"""

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd

from scripts.common.errors import UserError
from scripts.common.protected import as_text


def without_full_stops(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the frame with the full stops at the end of Adult's income removed: only the test part has them."""
    return frame.assign(income=frame["income"].str.rstrip("."))


def mark_complete(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the frame with `complete`, which marks rows without a missing value."""
    return frame.assign(complete=frame.notna().all(axis=1))


def two_values(frame: pd.DataFrame, kept: Mapping[str, str]) -> pd.DataFrame:
    """Return the frame with columns cut down to one value and "other", missing values among the latter."""
    return frame.assign(**{name: np.where(frame[name] == value, value, "other") for name, value in kept.items()})


def recode(frame: pd.DataFrame, codes: Mapping[str, Mapping[str, str]]) -> pd.DataFrame:
    """Return the frame with other spellings of values; a value that is not named stays as it is."""
    return frame.assign(**{name: as_text(frame[name]).replace(dict(own)) for name, own in codes.items()})


def join_one_hot(frame: pd.DataFrame, prefixes: Mapping[str, str]) -> pd.DataFrame:
    """Return the frame with columns of zeros and ones joined to one column of words, their names without the prefix.

    Raises:
        UserError: a row has a one in none of the columns, or in several.
    """
    for name, prefix in prefixes.items():
        columns = [column for column in frame if column.startswith(prefix)]
        held = frame[columns].to_numpy(float)
        if not columns or not ((held == 1).sum(1) == 1).all():
            raise UserError(f"{name}: its columns {prefix}* do not hold one 1 in each row; get the file again")
        words = np.array([column.removeprefix(prefix) for column in columns], dtype=object)
        frame = frame.drop(columns=columns).assign(**{name: words[held.argmax(1)]})
    return frame


def propublica_filter(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the frame with `filtered`, which marks ProPublica's selection; files without its columns are filtered.

    The file of violent charges has a score of its own, v_score_text, which its selection goes by.
    """
    if "days_b_screening_arrest" not in frame:  # a copy that holds only the selection
        return frame.assign(filtered=True)
    # ProPublica's two notebooks go by the score that each is about; the violent file repeats the label's column
    score = "v_score_text" if "two_year_recid.1" in frame else "score_text"
    days = pd.to_numeric(frame["days_b_screening_arrest"], errors="coerce")
    filtered = (days.abs() <= 30) & (frame["is_recid"] != -1) & (frame["c_charge_degree"] != "O")
    return frame.assign(filtered=(filtered & frame[score].notna() & (frame[score] != "N/A")).to_numpy())


MARITAL_STATUS = {  # of the codes of German's column on sex and marital status
    "A91": "divorced or separated",
    "A92": "divorced, separated or married",
    "A93": "single",
    "A94": "married or widowed",
    "A95": "single",
}


def german_sex(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the frame with sex and marital_status in place of the column that joins them."""
    women = frame["personal_status"].isin(["A92", "A95"])
    marital = frame["personal_status"].map(MARITAL_STATUS)
    frame = frame.drop(columns="personal_status")
    return frame.assign(sex=np.where(women, "female", "male"), marital_status=marital)


def german_age_group(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the frame with two groups of age, the limit of Kamiran and Calders."""
    return frame.assign(age_group=np.where(frame["age"] > 25, "over 25", "25 or younger"))


def credit_codes(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the rows on credit default as UCI's file has them, sex in words, from that file or the package's copy.

    The package has sex as 0 and 1 for 1 and 2, education and marriage as columns of zeros and ones, and amounts as
    fractions.
    """
    if "education_1" in frame:
        frame = join_one_hot(frame, {"marriage": "marriage_", "education": "education_"}).assign(sex=frame["sex"] + 1)
        order = [name for name in frame if name not in ("education", "marriage")]
        after_sex = order.index("sex") + 1
        frame = frame[[*order[:after_sex], "education", "marriage", *order[after_sex:]]]
        frame = frame.astype({name: np.int64 for name in frame if pd.api.types.is_float_dtype(frame[name])})
    return frame.assign(sex=as_text(frame["sex"]).map({"1": "male", "2": "female"}))


STEPS: dict[str, Callable[..., pd.DataFrame]] = {
    step.__name__: step
    for step in (
        without_full_stops,
        mark_complete,
        two_values,
        recode,
        join_one_hot,
        propublica_filter,
        german_sex,
        german_age_group,
        credit_codes,
    )
}


def run_steps(frame: pd.DataFrame, steps: list) -> pd.DataFrame:
    """Return the frame after the steps of a description.

    Raises:
        UserError: there is no step of this name.
        KeyError: a step misses a column.
    """
    for entry in steps:
        name, settings = next(iter(entry.items())) if isinstance(entry, Mapping) else (entry, None)
        if name not in STEPS:
            raise UserError(f"no step {name!r}; there are {', '.join(STEPS)}")
        frame = STEPS[name](frame) if settings is None else STEPS[name](frame, settings)
    return frame
