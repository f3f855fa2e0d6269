"""Small tables of numbers and categories for tests of synthetic rows."""

import numpy as np

from scripts.common.mixed_table import MixedSchema, MixedTable


def table(numeric=(), codes=(), sizes=None):
    """Table of columns: lists of numbers, and lists of codes with their numbers of categories."""
    sizes = sizes or [max(column) + 1 for column in codes]
    names = tuple(f"n{k}" for k in range(len(numeric))), tuple(f"c{k}" for k in range(len(codes)))
    categories = tuple(tuple(f"{code:02d}" for code in range(size)) for size in sizes)
    schema = MixedSchema(names[0], (False,) * len(numeric), names[1], categories, names[0] + names[1])
    rows = len([*numeric, *codes][0])
    columns = np.array(numeric, float).reshape(len(numeric), rows).T
    return MixedTable(schema, columns, np.array(codes, np.int32).reshape(len(codes), rows).T)


def drawn(rows, seed, shift=0.0):
    """Table of two numbers and two categories that depend on each other; `shift` moves the first number."""
    random = np.random.default_rng(seed)
    first = random.normal(size=rows)
    c = (first + random.normal(size=rows) > 0).astype(int)
    d = np.where(random.random(rows) < 0.5, c, random.integers(4, size=rows))
    return table([first + shift, first * 10 + random.normal(size=rows)], [c, d], [2, 4])
