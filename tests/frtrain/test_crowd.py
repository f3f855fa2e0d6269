"""The crowd: a made-up file in the published form, and simulated workers as good as the published ones."""

import numpy as np
import pandas as pd
import pytest

from scripts.common.errors import UserError
from scripts.frtrain.crowd import EASE, load_crowd, majority, simulated_answers, simulated_labels

PEOPLE = pd.DataFrame(
    {
        "age": [23, 52, 31, 40],
        "priors_count": [8, 0, 3, 1],
        "c_charge_degree": ["F", "M", "F", "F"],
        "sex": ["Male", "Male", "Female", "Male"],
        "race": ["African-American", "Caucasian", "Other", "Caucasian"],
        "y": [1, 0, 1, 1],
    }
)
CROWD = pd.DataFrame(
    {
        "example_idx": [0, 1],
        "age": [31, 52],
        "crime_level": ["Felony (Serious)", "Misdemeanor (Light)"],
        "num_of_crimes": [3, 0],
        "gender": ["Female", "Male"],
        "race": ["Non-caucasian", "Caucasian"],
        "true_label": [1, -1],
        **{f"ans_{number}": [4 if number <= 5 else 1, 3 if number <= 6 else 2] for number in range(1, 12)},
    }
)


def test_the_majority_needs_more_than_half():
    assert majority(np.array([[3, 4, 1], [1, 2, 4], [3, 3, 3]])).tolist() == [1, -1, 1]
    assert majority(np.array([[3, 4, 1, 2]])).tolist() == [-1]


def test_rows_of_a_crowd_file_are_found_in_the_data(tmp_path):
    path = tmp_path / "crowd.csv"
    CROWD.to_csv(path, index=False)
    found = load_crowd(path, PEOPLE, "compas")
    assert found["position"].tolist() == [2, 1] and found["label"].tolist() == [-1, 1]


def test_each_row_of_the_data_is_taken_once(tmp_path):
    path = tmp_path / "crowd.csv"
    pd.concat([CROWD] * 2).to_csv(path, index=False)
    with pytest.raises(UserError, match="50% of its rows are not in compas"):
        load_crowd(path, PEOPLE, "compas")


def test_answers_off_the_scale_are_refused(tmp_path):
    path = tmp_path / "crowd.csv"
    CROWD.assign(ans_3=5).to_csv(path, index=False)
    with pytest.raises(UserError, match="answers must be 1 to 4"):
        load_crowd(path, PEOPLE, "compas")


@pytest.mark.parametrize(("dataset", "single", "together"), [("compas", 0.617, 0.661), ("adult", 0.632, 0.723)])
def test_simulated_workers_are_right_as_often_as_the_published_ones(dataset, single, together):
    right = simulated_answers(np.ones(60000), EASE[dataset], seed=1)
    assert right.mean() == pytest.approx(single, abs=0.006)
    assert (right.sum(axis=1) > 5).mean() == pytest.approx(together, abs=0.008)
    labels = simulated_labels(np.full(60000, -1.0), dataset, seed=1)
    assert (labels == -1).mean() == pytest.approx(together, abs=0.008)


FORMS = {
    "Windows line ends": CROWD.to_csv(index=False, lineterminator="\r\n").encode(),
    "a byte-order mark": CROWD.to_csv(index=False).encode("utf-8-sig"),
    "semicolons of a spreadsheet": CROWD.to_csv(index=False, sep=";").encode("utf-8-sig"),
}


@pytest.mark.parametrize("form", FORMS)
def test_a_crowd_file_is_read_as_an_editor_leaves_it(form, tmp_path):
    (tmp_path / "plain.csv").write_bytes(CROWD.to_csv(index=False).encode())
    (tmp_path / "crowd.csv").write_bytes(FORMS[form])
    plain = load_crowd(tmp_path / "plain.csv", PEOPLE, "compas")
    assert load_crowd(tmp_path / "crowd.csv", PEOPLE, "compas").equals(plain) and len(plain)


def test_a_crowd_file_in_utf_16_is_refused_in_one_line(tmp_path):
    (tmp_path / "crowd.csv").write_bytes(CROWD.to_csv(index=False).encode("utf-16"))
    with pytest.raises(UserError, match="no CSV file"):
        load_crowd(tmp_path / "crowd.csv", PEOPLE, "compas")
