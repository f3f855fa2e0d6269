"""What cannot be audited ends in one line that says what is wrong and where."""

import numpy as np
import pytest

from scripts.common import parquet
from scripts.common.errors import UserError
from scripts.common.leakage.audit_run import Settings
from scripts.common.schemas.predictions import PREDICTIONS, write_predictions
from scripts.leakage.leakage_audit import audit
from scripts.leakage.reading import read_predictions
from tests.leakage.synthetic import predictions, write


def absent_group(frame):
    return frame.assign(group=(2 * frame["group"]).astype(np.int8))


def one_value(frame):
    return frame.assign(group=np.int8(0))


def outside(frame):
    return frame.assign(probability=np.where(np.arange(len(frame)) == 7, 1.5, 0.5))


def twice(frame):
    return frame.assign(row_id=np.where(frame["row_id"] == 1, 2, frame["row_id"]))


def in_two_splits(frame):
    return frame.assign(row_id=np.where(frame["row_id"] == 0, 1, frame["row_id"]))


def negative(frame):
    return frame.assign(group=(frame["group"] - 1).astype(np.int8))


def no_number(frame):
    return frame.assign(score=frame["score"].where(frame["row_id"] != 3))


BAD = {
    "no ids": (lambda frame: frame.drop(columns="row_id"), "'row_id'"),
    "absent group": (absent_group, "group 1 is absent"),
    "one value": (one_value, "the one value 0"),
    "probability": (outside, "probabilities outside [0, 1], first 1.5"),
    "duplicate ids": (twice, "duplicate row ids, first 2"),
    "overlapping splits": (in_two_splits, "the splits train and test"),
    "negative code": (negative, "holds -1"),
    "score is no number": (no_number, "1 scores are no numbers"),
    "no rows": (lambda frame: frame.head(0), "holds no rows"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_file_is_one_line(tmp_path, case):
    spoil, words = BAD[case]
    path = write(tmp_path, spoil(predictions(200)))
    for call in (lambda: read_predictions(path), lambda: audit([path], Settings(0, 0.1), [1])):
        with pytest.raises(UserError) as error:
            call()
        message = str(error.value)
        assert words in message and path in message and "\n" not in message


def test_a_file_without_an_attribute_is_left_out_and_counted(tmp_path):
    without = write(tmp_path, predictions(400).drop(columns="group"), name="without")
    with_one = write(tmp_path, predictions(400), name="with")
    assert read_predictions(without) is None
    rows, _, _, files = audit([without, with_one], Settings(0, 0.1), [1])
    assert files.set_index("path")["audited"].to_dict() == {without: False, with_one: True}
    assert set(rows["study"]) == {"other"}


def test_attributes_are_those_that_the_file_lists_and_no_other_int8_column(tmp_path):
    frame = predictions(400).assign(second=lambda rows: rows["group"], grade=np.int8(3), weight=1.0)
    path = tmp_path / "results/other/predictions/run.parquet"
    write_predictions(frame, path, ["second", "group"])
    assert list(read_predictions(path).groups) == ["second", "group"]


def test_a_file_that_lists_no_attributes_is_refused_in_one_line(tmp_path):
    path = tmp_path / "results/other/predictions/run.parquet"
    parquet.write(predictions(400), path, PREDICTIONS)
    with pytest.raises(UserError, match=r"run.parquet: does not list its sensitive attributes, \[\] where it has none"):
        audit([str(path)], Settings(0, 0.1), [1])


def test_a_listed_attribute_that_is_no_column_of_codes_is_refused(tmp_path):
    path = tmp_path / "results/other/predictions/run.parquet"
    write_predictions(predictions(400).assign(group=lambda rows: rows["group"].astype(float)), path, ["group"])
    with pytest.raises(UserError, match=r"lists the attributes \['group'\], its int8 columns are \[\]"):
        read_predictions(path)
