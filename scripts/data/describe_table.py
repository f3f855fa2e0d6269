"""A first draft of the description of a user's table, for the user to correct: `make describe TABLE=path.csv`.

Which column is the label, which are sensitive and which group is privileged are guesses by names and values; a person
decides. Warnings stand as comments beside what they are about.
"""

import re
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import yaml

from scripts.common.errors import UserError
from scripts.common.own_tables import OURS, TAKEN
from scripts.common.protected import as_text
from scripts.common.tabular import FEWEST
from scripts.common.user_frame import read_user_frame
from scripts.data.tabular import plain

LABELS = (
    "label",
    "target",
    "class",
    "outcome",
    "income",
    "y",
    "default",
    "approved",
    "granted",
    "hired",
    "recid",
    "decision",
)
SENSITIVE = (
    "sex",
    "gender",
    "race",
    "ethnic",
    "age",
    "marital",
    "marri",
    "nationality",
    "religion",
    "disab",
    "country",
    "birth",
)
MOST_GROUPS = 12  # values of a column that is proposed as an attribute
MOST_CODES = 12  # whole numbers that are taken for categories
MOST_CATEGORIES = 50
TELLS = 0.99  # balanced accuracy at which a single column tells the label
CUT = 10  # bins of a numeric column that is compared with the label


def kinds(frame: pd.DataFrame) -> dict[str, str]:
    """Return what each column is: constant, identifier, numeric or categorical; an identifier differs in every row."""
    found = {}
    for name in frame:
        values = frame[name].dropna()
        numbers = pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values)
        whole = numbers and (values % 1 == 0).all()
        if values.nunique() < 2:
            found[name] = "constant"
        elif len(frame) >= FEWEST and values.nunique() == len(frame) and (whole or not numbers):
            found[name] = "identifier"
        elif numbers and not (whole and is_code(name, values)):
            found[name] = "numeric"
        elif not numbers and values.nunique() > max(MOST_CATEGORIES, len(frame) // 20):
            found[name] = "identifier"
        else:
            found[name] = "categorical"
    return found


def is_code(name: str, values: pd.Series) -> bool:
    """Return whether whole numbers look like codes: few, and no counts (0 or 1 upwards, more than three, no gap)."""
    levels = np.sort(values.unique())
    counts = len(levels) > 3 and levels[0] in (0, 1) and (np.diff(levels) == 1).all()
    return len(levels) <= MOST_CODES and (is_sensitive(name) or not counts)


def label_candidates(frame: pd.DataFrame) -> list[str]:
    """Return the columns with two values, the likelier labels first: by name, then from the last column backwards."""
    two = [name for name in frame if frame[name].nunique() == 2 and frame[name].notna().all()]
    sensitive = [name for name in two if is_sensitive(name)]
    named = [name for name in two if any(word in plain(name).split("_") for word in LABELS) and name not in sensitive]
    return list(dict.fromkeys([*named[::-1], *(name for name in two[::-1] if name not in sensitive), *sensitive]))


def is_sensitive(name: str) -> bool:
    """Return whether a column's name is one of a sensitive attribute."""
    parts = plain(name).split("_")
    return any(part == word or (len(word) > 3 and part.startswith(word)) for part in parts for word in SENSITIVE)


def tells_label(values: pd.Series, y: np.ndarray) -> float:
    """Return the balanced accuracy of the best guess of the label from one column alone, numbers in ten bins."""
    if pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values) and values.nunique() > CUT:
        values = pd.qcut(values, CUT, duplicates="drop")
    table = pd.crosstab(values.astype(str), y).to_numpy(float)
    shares = table / table.sum(0)
    return float(shares.max(1).sum() / 2)


def one_value(values: pd.Series) -> str:
    """Return which of two values is likelier the favourable or positive one: yes, 1, >50K ...; else the rarer one."""
    levels = sorted(as_text(values).unique())
    yes = [level for level in levels if re.fullmatch(r"1|yes|y|true|good|approved|hired|granted|>.*", level.lower())]
    return yes[0] if len(yes) == 1 else as_text(values).value_counts().index[-1]


def attribute(values: pd.Series, label: np.ndarray | None) -> tuple[dict, list[str]]:
    """Return the description of an attribute on a column, and remarks: counts, and which groups are small.

    The privileged group is the one with the highest share of positives among those that are not small.
    """
    if pd.api.types.is_numeric_dtype(values) and values.nunique() > MOST_GROUPS:
        middle = float(values.median())
        middle = int(middle) if middle.is_integer() else middle
        groups = {f"{middle} or less": {"to": middle}, f"over {middle}": {"above": middle}}
        codes = pd.Series(np.where(values > middle, f"over {middle}", f"{middle} or less"), values.index)
    else:
        codes = as_text(values)
        groups = {str(level): [str(level)] for level in sorted(codes.dropna().unique())}
    sizes = codes.value_counts()
    remarks = [f"{name}: {sizes[name]:,} people" for name in groups]
    remarks += [f"WARNING: {name!r} has fewer than {FEWEST} people; kept, its rates are uncertain"
                for name in groups if sizes[name] < FEWEST]  # fmt: skip
    if values.isna().any():
        remarks.append(f"WARNING: missing in {int(values.isna().sum())} rows, which `incomplete: drop` leaves out")
    large = [name for name in groups if sizes[name] >= FEWEST] or list(groups)
    shares = {name: label[(codes == name).to_numpy()].mean() if label is not None else sizes[name] for name in large}
    return {"groups": groups, "privileged": max(shares, key=shares.get)}, remarks


def safe_name(name: str) -> str:
    """Return a name for an attribute that no column of ours has."""
    short = re.sub(r"^[^a-z]+", "", plain(name)) or "attribute"
    return f"{short}_group" if short in TAKEN else short


def draft(path: str | Path) -> str:
    """Return the draft as YAML with comments, to be put under `tables:`.

    Raises:
        UserError: the file cannot be read as a table.
    """
    read = read_user_frame(path)
    frame, found = read.frame, kinds(read.frame)
    candidates = label_candidates(frame)
    label, y = (candidates[0], None) if candidates else ("", None)
    if label:
        one = one_value(frame[label])
        zero = next(value for value in as_text(frame[label]).unique() if value != one)
        y = (as_text(frame[label]) == one).to_numpy(int)
    features = {name: kind for name, kind in found.items() if kind in ("numeric", "categorical") and name != label}
    leaks = [name for name in features if y is not None and tells_label(frame[name], y) >= TELLS]
    rename = {name: f"my_{name}" for name in features if name in OURS}
    lines = [f"# A draft by make describe of {len(frame):,} rows and {len(read.names)} columns: check every line."]
    lines += [f"# {note}" for note in read.notes]
    lines += [
        "tables:",
        f"  {table_name(path)}:",
        f"    file: {_yaml(str(path))}",
        f"    title: {_yaml(Path(path).stem)}",
    ]
    if rename:
        lines.append(f"    rename: {_yaml(rename)}    # names of columns of ours")
    gaps = frame[list(features)].isna().sum()
    if gaps.any():
        worst = ", ".join(f"{name} in {count:,}" for name, count in gaps[gaps > 0].items())
        lines.append(f"    incomplete: drop    # or category; missing: {worst} rows")
    lines.append(f"    # candidates for the label: {', '.join(candidates) or 'none: no column has exactly two values'}")
    if label:
        about = {"column": label, "one": one, "zero": zero, "positive": f"{label} is {one}"}
        lines.append(f"    label: {_yaml(about)}    # {y.mean():.1%} positive")
    else:
        lines.append('    label: {column: "", one: "", zero: "", positive: ""}    # TO FILL IN')
    for kind in ("numeric", "categorical"):
        named = [rename.get(name, name) for name, own in features.items() if own == kind and name not in leaks]
        lines.append(f"    {kind}: {_yaml(named)}")
    dropped = {name: kind for name, kind in found.items() if kind in ("constant", "identifier") and name != label}
    dropped |= dict.fromkeys(leaks, "leak")
    lines.append(f"    drop: {_yaml(list(dropped))}")
    why = {
        "constant": "has one value",
        "identifier": "differs in (almost) every row: an identifier or free text",
        "leak": "tells the label almost without error: a leak?",
    }
    lines += [f"    # WARNING: {name} {why[kind]}" for name, kind in dropped.items()]
    lines.append("    attributes:    # whose fairness is studied; the privileged group is a guess")
    sensitive = [name for name in features if is_sensitive(name)]
    chosen = sensitive or [name for name in features if 2 <= frame[name].nunique() <= MOST_GROUPS][:3]
    if not sensitive:
        lines.append(
            "      # WARNING: no column has the name of a sensitive attribute; these are those with few values"
        )
    for name in features:
        if name not in chosen and name not in leaks and 2 <= frame[name].nunique() <= MOST_GROUPS:
            sizes = as_text(frame[name]).value_counts().sort_index()
            held = ", ".join(f"{value}: {count:,}" for value, count in sizes.items())
            lines.append(f"      # another candidate: {name} ({held})")
    for name in chosen:
        if not pd.api.types.is_numeric_dtype(frame[name]) and frame[name].nunique() > MOST_GROUPS:
            lines.append(
                f"      # {name} has {frame[name].nunique()} values: merge them to groups, one may be `others`"
            )
            continue
        about, remarks = attribute(frame[name], y)
        lines += [f"      # {remark}" for remark in remarks]
        lines.append(f"      {safe_name(name)}: {_yaml({'column': rename.get(name, name)} | about)}")
    if not chosen:
        lines.append("      # TO FILL IN: name: {column: ..., groups: {...}, privileged: ...}")
    return "\n".join(lines) + "\n"


def table_name(path: str | Path) -> str:
    """Return a name for the table: that of the file, in small letters and digits."""
    return re.sub(r"^[^a-z]+", "", plain(Path(path).name.split(".")[0])) or "my_table"


def _yaml(value: object) -> str:
    """Return a value as YAML in one line."""
    dumped = yaml.safe_dump(value, default_flow_style=True, sort_keys=False, allow_unicode=True, width=10**6)
    return dumped.removesuffix("\n").removesuffix("\n...")


def main(arguments: list[str]) -> None:
    """Print the draft of the file that the command line names."""
    if len(arguments) != 1 or not arguments[0]:
        raise UserError("name the file: make describe TABLE=path.csv")
    print(draft(arguments[0]), end="")


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except UserError as error:
        sys.exit(f"Error: {error}")
