"""Checks of people with several labels: each mistake in one line, each warning with the name of its place."""

import logging
from dataclasses import replace

import numpy as np
import pytest

from scripts.common.errors import UserError
from scripts.multitask.checks import blocks, category_accuracy, check, empty_combinations, leaks, threshold_accuracy
from scripts.multitask.people import People


def persons(rows=600, groups=2, seed=0):
    """People of three independent tasks, two numbers and a one-hot feature of three categories."""
    rng = np.random.default_rng(seed)
    town = rng.integers(0, 3, rows)
    return People(
        "made up",
        ("one", "two", "three"),
        "sex",
        tuple(f"group {code}" for code in range(groups)),
        ("age", "debt", "town=a", "town=b", "town: rare"),
        np.arange(rows),
        rng.choice(3, rows, p=[0.5, 0.2, 0.3]).astype(np.int8),
        rng.integers(0, groups, rows).astype(np.int8),
        rng.integers(0, 2, (rows, 3)).astype(np.int8),
        np.column_stack([rng.normal(size=(rows, 2)), np.eye(3)[town]]).astype(np.float32),
    )


def with_labels(people, place, values):
    labels = people.labels.copy()
    labels[:, place] = values
    return replace(people, labels=labels)


def with_feature(people, place, values):
    features = people.features.copy()
    features[:, place] = values
    return replace(people, features=features)


def test_people_in_order_are_let_through_without_a_word(caplog):
    with caplog.at_level(logging.WARNING, "counterweight"):
        check(persons(), "made_up")
    assert not caplog.records


MISTAKES = {
    "constant": (lambda p: with_labels(p, 1, 1), r"tasks\.two: all 600 rows have the label 1; leave it out"),
    "constant in training": (
        lambda p: with_labels(p, 1, (p.split == 2).astype(int)),
        r"tasks\.two: all 294 training rows have the label 0; take more",
    ),
    "three values": (
        lambda p: with_labels(p, 1, np.arange(600) % 3),
        r"tasks\.two: has more than two values \(0, 1, 2\); give it two labels",
    ),
    "other values": (lambda p: with_labels(p, 1, np.arange(600) % 2 + 1), r"tasks\.two: has other values than 0 and 1"),
    "equal tasks": (lambda p: with_labels(p, 2, p.labels[:, 0]), r"tasks\.three: equals one in every row; keep one"),
    "opposite tasks": (
        lambda p: with_labels(p, 2, 1 - p.labels[:, 0]),
        r"tasks\.three: is the opposite of one in every",
    ),
    "one task": (
        lambda p: replace(p, tasks=("one",), labels=p.labels[:, :1]),
        "tasks: one task alone; this study needs at least two",
    ),
    "twice": (lambda p: replace(p, tasks=("one", "two", "one")), "tasks: one stands twice; keep one"),
    "one group": (lambda p: replace(p, groups=np.ones_like(p.groups)), "all rows are of one group of sex"),
    "group without training rows": (
        lambda p: replace(p, groups=np.where(p.split == 0, 1, p.groups).astype(np.int8)),
        "the group 'group 0' of sex has no training row; raise most_rows",
    ),
    "no validation row": (
        lambda p: replace(p, split=np.where(p.split == 1, 0, p.split).astype(np.int8)),
        "the valid split has no row; raise most_rows",
    ),
    "sex as a number": (
        lambda p: with_feature(p, 1, 3.0 - 2 * p.groups),
        r"the feature debt tells sex exactly; .* so drop: \[debt\]",
    ),
    "sex as a task": (
        lambda p: with_labels(p, 0, 1 - p.groups),
        r"tasks\.one: is the sensitive attribute sex; take it out",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_each_mistake_is_refused_in_one_line_that_names_the_dataset(mistake):
    change, message = MISTAKES[mistake]
    with pytest.raises(UserError, match=message) as refused:
        check(change(persons()), "made_up")
    assert str(refused.value).startswith("config: multitask.datasets.made_up")


def test_a_one_hot_feature_that_tells_one_of_three_groups_is_refused_and_one_that_does_not_is_not():
    people = persons(groups=3)
    telling = replace(people, features=np.column_stack([people.features[:, :2], np.eye(3)[(people.groups + 1) % 3]]))
    with pytest.raises(UserError, match="the feature town tells sex exactly"):
        check(telling, "made_up")
    groups = people.groups.copy()
    groups[0] = (groups[0] + 1) % 3
    check(replace(telling, groups=groups), "made_up")


def test_three_groups_are_taken_and_said(caplog):
    with caplog.at_level(logging.WARNING, "counterweight"):
        check(persons(groups=3), "made_up")
    (record,) = caplog.records
    assert "datasets.made_up: sex has 3 groups: metrics take the largest gap" in record.getMessage()


def test_a_combination_without_rows_is_named_with_its_split_and_lets_the_job_go_on(caplog):
    people = persons()
    empty = with_labels(people, 1, np.where((people.split == 2) & (people.groups == 1), 0, people.labels[:, 1]))
    (line,) = empty_combinations(empty)
    assert line.startswith("test: no row of two is of group 1 with label 1;")
    with caplog.at_level(logging.WARNING, "counterweight"):
        check(empty, "made_up")
    assert "made_up: test: no row of two is of group 1 with label 1" in caplog.text
    assert [*empty_combinations(people)] == []


def test_a_feature_that_tells_a_task_is_named():
    people = persons()
    age = people.features[:, 0]
    wrong = np.flatnonzero(people.split == 0)[:1]
    labels = (age < 0.3).astype(int)
    labels[wrong] = 1 - labels[wrong]
    (line,) = leaks(with_labels(people, 2, labels))
    assert line.startswith("the feature age alone tells the task three (accuracy 0.997, majority 0.6")
    rows = np.flatnonzero(people.split == 0)[:10]
    labels[rows] = 1 - (age[rows] < 0.3)
    assert [*leaks(with_labels(people, 2, labels))] == [], "ten errors in some 300 rows are more than a hundredth"


def test_categories_that_only_together_tell_a_task_are_named():
    people = persons()
    telling = with_labels(people, 0, people.features[:, 2] + people.features[:, 4] > 0)
    assert [line.partition(" alone")[0] for line in leaks(telling)] == ["the feature town"]


def test_a_rare_label_is_no_leak_though_a_constant_is_right_on_nearly_all_rows():
    people = persons(rows=6000)
    rng = np.random.default_rng(1)
    rare = (rng.random(6000) < 0.004).astype(int)
    assert rare.mean() < 0.01 and [*leaks(with_labels(people, 0, rare))] == []
    assert len([*leaks(with_feature(with_labels(people, 0, rare), 1, rare * 2.0))]) == 1


def test_the_accuracy_of_a_threshold_is_that_of_trying_all():
    rng = np.random.default_rng(5)
    for _ in range(20):
        values, labels = rng.integers(0, 6, 30).astype(float), rng.integers(0, 2, (30, 2))
        cuts = [-np.inf, *np.unique(values)]
        tried = [
            [(((values > cut) ^ flip) == labels[:, task]).mean() for cut in cuts for flip in (0, 1)] for task in (0, 1)
        ]
        assert threshold_accuracy(values, labels) == pytest.approx(np.max(tried, axis=1))


def test_the_accuracy_of_categories_by_hand():
    codes, labels = np.array([0, 0, 0, 1, 1]), np.array([[1, 0], [1, 0], [0, 0], [0, 1], [0, 0]])
    assert category_accuracy(codes, labels).tolist() == [0.8, 0.8]


def test_columns_of_one_feature_belong_together():
    assert blocks(("age", "town=a", "race=x", "town: rare")) == [("age", [0]), ("town", [1, 3]), ("race", [2])]
