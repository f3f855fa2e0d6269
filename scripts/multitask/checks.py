"""Checks of people with several labels: what ends a job in one line, and what is only said."""

from collections.abc import Iterator

import numpy as np

from scripts.common.errors import UserError
from scripts.common.logs import log
from scripts.multitask.people import SPLITS, People

LEAK = 0.99  # accuracy of a rule on one feature beyond which that feature is said to tell the task


def check(people: People, name: str) -> None:
    """Check people before they are written; what may only mislead is logged as a warning.

    Args:
        name: of the dataset in the config.

    Raises:
        UserError: there are fewer than two tasks, a split has no row, a label is not 0 or 1 or all are the same, two
            tasks have the same labels, there is one group, or a feature or task tells the group.
    """
    where = f"config: multitask.datasets.{name}"
    check_tasks(people, where)
    check_groups(people, where)
    for line in [*empty_combinations(people), *leaks(people)]:
        log.warning("%s: %s", where, line)


def check_tasks(people: People, where: str) -> None:
    """Check that there are two tasks or more, each with both labels in the training rows and no two of them alike.

    Raises:
        UserError: names the task.
    """
    tasks, labels = people.tasks, people.labels
    if len(tasks) < 2:
        raise UserError(f"{where}.tasks: {tasks[0] if tasks else 'no'} task alone; this study needs at least two")
    if twice := [task for place, task in enumerate(tasks) if task in tasks[:place]]:
        raise UserError(f"{where}.tasks: {twice[0]} stands twice; keep one")
    for code, split in enumerate(SPLITS):
        if not (people.split == code).any():
            raise UserError(f"{where}: the {split} split has no row; raise most_rows")
    train = labels[people.rows("train")]
    for place, task in enumerate(tasks):
        values = np.unique(labels[:, place])
        if len(values) > 2 or not np.isin(values, [0, 1]).all():
            what = "more than two values" if len(values) > 2 else "other values than 0 and 1"
            raise UserError(f"{where}.tasks.{task}: has {what} ({', '.join(map(str, values[:5]))}); give it two labels")
        if len(values) < 2:
            raise UserError(f"{where}.tasks.{task}: all {len(labels)} rows have the label {values[0]}; leave it out")
        if len(seen := np.unique(train[:, place])) < 2:
            raise UserError(f"{where}.tasks.{task}: all {len(train)} training rows have the label {seen[0]}; take more")
    for one in range(len(tasks)):
        for other in range(one + 1, len(tasks)):
            agree = labels[:, one] == labels[:, other]
            if agree.all() or not agree.any():
                what = "equals" if agree.all() else "is the opposite of"
                raise UserError(f"{where}.tasks.{tasks[other]}: {what} {tasks[one]} in every row; keep one of them")


def check_groups(people: People, where: str) -> None:
    """Check the sensitive groups: two or more, each with training rows, and neither a feature nor a task tells them.

    Raises:
        UserError: names the group, the feature or the task.
    """
    sizes = np.bincount(people.groups, minlength=len(people.group_names))
    train = np.bincount(people.groups[people.rows("train")], minlength=len(people.group_names))
    if (sizes > 0).sum() < 2:
        raise UserError(f"{where}: all rows are of one group of {people.attribute}; there is nothing to compare")
    if not train.all():
        missing = people.group_names[int(train.argmin())]
        raise UserError(f"{where}: the group {missing!r} of {people.attribute} has no training row; raise most_rows")
    if len(sizes) > 2:
        log.warning(
            "%s: %s has %d groups: metrics take the largest gap between any two of them, and fairness losses the "
            "group with the largest loss",
            where,
            people.attribute,
            len(sizes),
        )
    for place, task in enumerate(people.tasks):
        if _tells(people.labels[:, place], people.groups):
            raise UserError(f"{where}.tasks.{task}: is the sensitive attribute {people.attribute}; take it out")
    for feature, columns in blocks(people.feature_names):
        values = people.features[:, columns]
        codes = values[:, 0] if len(columns) == 1 else values.argmax(axis=1)
        if _tells(codes, people.groups):
            raise UserError(
                f"{where}: the feature {feature} tells {people.attribute} exactly; the sensitive attribute is no "
                f"feature here, so drop: [{feature}]"
            )


def empty_combinations(people: People) -> Iterator[str]:
    """Yield a line for every split in which some combination of a task's label and a group has no row."""
    for split in SPLITS:
        rows = people.rows(split)
        for place, task in enumerate(people.tasks):
            counts = np.zeros((len(people.group_names), 2), np.int64)
            np.add.at(counts, (people.groups[rows], people.labels[rows, place]), 1)
            names = [f"{people.group_names[group]} with label {label}" for group, label in np.argwhere(counts == 0)]
            if names:
                yield (
                    f"{split}: no row of {task} is of {', '.join(names)}; what needs such rows is left out of the "
                    "fairness loss, and not defined as a metric"
                )


def leaks(people: People) -> Iterator[str]:
    """Yield a line for every task and feature where a rule on that feature alone is right on more than .99 of rows.

    The rule is the best threshold of a number, or the commoner label of each category. A rare label makes a constant
    that accurate, so the rule must also halve the errors of the majority class.
    """
    rows = people.rows("train")
    labels, features = people.labels[rows], people.features[rows]
    majority = np.maximum(labels.mean(axis=0), 1 - labels.mean(axis=0))
    for feature, columns in blocks(people.feature_names):
        if len(columns) == 1:
            accuracy = threshold_accuracy(features[:, columns[0]], labels)
        else:
            accuracy = category_accuracy(features[:, columns].argmax(axis=1), labels)
        for place in np.flatnonzero((accuracy > LEAK) & (1 - accuracy <= (1 - majority) / 2)):
            yield (
                f"the feature {feature} alone tells the task {people.tasks[place]} (accuracy {accuracy[place]:.3f}, "
                f"majority {majority[place]:.3f}): one may be made of the other; then leave the feature out"
            )


def blocks(names: tuple[str, ...]) -> list[tuple[str, list[int]]]:
    """Return the features before they were encoded, each with the places of its columns: "race=White" is of race."""
    places: dict[str, list[int]] = {}
    for place, name in enumerate(names):
        places.setdefault(name.partition("=")[0].removesuffix(": rare"), []).append(place)
    return [*places.items()]


def threshold_accuracy(values: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return the accuracy of the best threshold, in either direction, for every task, float64 [T].

    Args:
        values: of one feature, float [n].
        labels: int8 [n, T].
    """
    distinct, codes = np.unique(values, return_inverse=True)
    below = np.cumsum(np.bincount(codes, minlength=len(distinct)))
    best = []
    for task in labels.T:
        ones = np.cumsum(np.bincount(codes, weights=task, minlength=len(distinct)))
        right = below - ones + ones[-1] - ones  # zeros up to the threshold, ones above; the last is a constant
        best.append(max(right.max(), len(values) - right.min()) / len(values))
    return np.array(best)


def category_accuracy(codes: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return the accuracy of each category's commoner label for every task, float64 [T].

    Args:
        codes: of the categories, int64 [n].
        labels: int8 [n, T].
    """
    sizes = np.bincount(codes)
    ones = np.stack([np.bincount(codes, weights=task, minlength=len(sizes)) for task in labels.T])
    return np.maximum(ones, sizes - ones).sum(axis=1) / len(codes)


def _tells(codes: np.ndarray, groups: np.ndarray) -> bool:
    """Return whether values name the groups one to one."""
    values, places = np.unique(codes, return_inverse=True)
    present = np.unique(groups)
    if len(values) != len(present):
        return False
    return len(np.unique(places.astype(np.int64) * (int(groups.max()) + 1) + groups)) == len(present)
