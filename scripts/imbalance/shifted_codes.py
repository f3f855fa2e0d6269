"""The published fault: category codes of an augmented training table move, those of the test rows stay.

The published code joins real and synthetic rows to a table of plain values, whose categories are then listed anew from
the values present. A category that is in no training row is missing from that list, so the code of every category after
it falls by one. xgboost read the raw codes, and the test rows kept those of the whole table (dmlc/xgboost #11160).
"""

import numpy as np

from scripts.common.mixed_table import MixedTable


def renumbered(codes: np.ndarray) -> np.ndarray:
    """Return the codes of one column counted anew over the values that are present: int32 [n], 0 to K - 1."""
    return np.unique(codes, return_inverse=True)[1].astype(np.int32)


def with_moved_codes(training: MixedTable) -> MixedTable:
    """Return an augmented training table with every categorical column renumbered by its own present values."""
    columns = [renumbered(training.codes[:, place]) for place in range(training.codes.shape[1])]
    codes = np.column_stack(columns) if columns else training.codes
    return MixedTable(training.schema, training.numeric, codes.astype(np.int32))


def codes_move(training: MixedTable) -> bool:
    """Return whether renumbering changes any code."""
    return not np.array_equal(with_moved_codes(training).codes, training.codes)
