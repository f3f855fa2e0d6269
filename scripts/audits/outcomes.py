"""Labels and predictions as users spell them (1, yes, True, >50K), as 0 and 1."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from scripts.common.errors import UserError

PAIRS = [  # negative, positive
    ("0", "1"), ("-1", "1"), ("false", "true"), ("no", "yes"), ("n", "y"), ("f", "t"), ("negative", "positive"),
    ("neg", "pos"), ("rejected", "accepted"), ("reject", "accept"), ("denied", "approved"), ("deny", "approve"),
    ("not approved", "approved"), ("bad", "good"),
]  # fmt: skip
SHOWN = 5


def texts_of(column: pd.Series, what: str) -> tuple[np.ndarray, list[str]]:
    """Return the code of every row, int64 [n], and the values that the codes stand for, as text, sorted.

    Args:
        what: how messages call the column: "people.csv: label 'income'".

    Raises:
        UserError: a value is missing.
    """
    codes, values = pd.factorize(column)
    if (codes < 0).any():
        count, first = int((codes < 0).sum()), int((codes < 0).argmax()) + 1
        raise UserError(
            f"{what} is missing in {count} of {len(column)} rows (first: row {first}); remove these rows, or write "
            "what a missing value means ('not stated')"
        )
    texts = [_text(value) for value in values]
    order = sorted(set(texts), key=_in_order)
    places = np.array([order.index(text) for text in texts])
    return places[codes], order


def _text(value: object) -> str:
    if isinstance(value, (float, np.floating)) and float(value).is_integer():
        return str(int(value))
    return str(value).strip()


def _in_order(text: str) -> tuple[int, float, str]:
    """Key that sorts numbers by size, before words by the alphabet."""
    try:
        return 0, float(text), text
    except ValueError:
        return 1, 0.0, text


def folded(text: str) -> str:
    """Return a value without differences of spelling: "1.0" is "1", "Yes" is "yes", ">50K." is ">50k"."""
    try:
        return _text(float(text))
    except ValueError:
        return text.casefold().rstrip(".")


def known_pair(texts: Sequence[str]) -> tuple[str, str] | None:
    """Return which of two values is the negative and which the positive one, folded; None if that cannot be known."""
    present = {folded(text) for text in texts}
    for pair in PAIRS:
        if present == set(pair):
            return pair
    if len(present) == 2:
        below, above = sorted(present, key=lambda text: text.startswith((">", "≥")))
        if above.startswith((">", "≥")) and below.startswith(("<", "≤")):
            return below, above
        for text in present:  # "recid" and "not recid"
            if f"not {text}" in present or f"no {text}" in present:
                return next(other for other in present if other != text), text
    return None


def read_labels(column: pd.Series, positive: str, what: str) -> tuple[np.ndarray, list[str], str]:
    """Return the labels as 0 and 1, int8 [n], the values that are the negative ones, and the positive value.

    Args:
        positive: the value that counts as 1, all others as 0; "": found out from two values.
        what: how messages call the column.

    Raises:
        UserError: a value is missing, there is one value only, more than two without `positive`, or two of which it is
            not known which is the positive one.
    """
    codes, texts = texts_of(column, what)
    if len(texts) == 1:
        raise UserError(f"{what} has the one value {texts[0]!r} in all rows; an audit needs rows of both outcomes")
    chosen = _chosen(texts, positive, what) if positive else ""
    if not chosen and len(texts) > 2:
        raise UserError(
            f"{what} has {_listed(texts)}; an audit compares two outcomes: give POSITIVE=VALUE (positive: in the "
            "config), which is audited against all others"
        )
    if not chosen:
        pair = known_pair(texts)
        if pair is None:
            raise UserError(
                f"{what} has the values {texts[0]!r} and {texts[1]!r}; say which one is the favourable outcome: give "
                "POSITIVE=VALUE (positive: in the config)"
            )
        chosen = next(text for text in texts if folded(text) == pair[1])
    return (codes == texts.index(chosen)).astype(np.int8), [text for text in texts if text != chosen], chosen


def read_predictions(column: pd.Series, negative: Sequence[str], positive: str, what: str) -> np.ndarray:
    """Return decisions as 0 and 1, int8 [n], spelled like the labels or as one of the known pairs.

    Args:
        negative, positive: values of the labels.

    Raises:
        UserError: a value is missing, the column holds probabilities, or a value that no label has.
    """
    codes, texts = texts_of(column, what)
    spelled = [folded(text) for text in texts]
    known = {folded(text): 0 for text in negative} | {folded(positive): 1}
    if not set(spelled) <= known.keys():
        pair = next((pair for pair in PAIRS if set(spelled) <= set(pair)), None) or known_pair(texts)
        if pair is None:
            _refuse_predictions(texts, [text for text in texts if folded(text) not in known], positive, what)
        known = {pair[0]: 0, pair[1]: 1}
    return np.array([known[text] for text in spelled], np.int8)[codes]


def _refuse_predictions(texts: Sequence[str], unknown: Sequence[str], positive: str, what: str) -> None:
    try:
        numbers = [float(text) for text in texts]
    except ValueError:
        numbers = []
    if numbers and min(numbers) >= 0 and max(numbers) <= 1:
        raise UserError(
            f"{what} holds probabilities ({', '.join(texts[1:4])} ...), no decisions; give them as SCORE, with "
            "THRESHOLD=0.5 in place of PREDICTION, or name a column of decisions"
        )
    if len(numbers) > 2 * SHOWN:
        raise UserError(
            f"{what} holds {len(texts)} different numbers, no decisions; give them as SCORE with a THRESHOLD"
        )
    raise UserError(
        f"{what} holds {unknown[0]!r}, which no label is; spell predictions as the labels ({positive!r} ...)"
    )


def _chosen(texts: Sequence[str], positive: str, what: str) -> str:
    for text in texts:
        if text == positive or folded(text) == folded(positive):
            return text
    raise UserError(f"{what} never is {positive!r}, the positive value; it has {_listed(texts)}")


def _listed(texts: Sequence[str]) -> str:
    shown = ", ".join(map(repr, texts[:SHOWN]))
    return f"{len(texts)} values: {shown}{', ...' if len(texts) > SHOWN else ''}"
