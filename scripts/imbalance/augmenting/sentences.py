"""The report of an augmented table in sentences, for its page, its Markdown and the terminal."""

from collections.abc import Mapping
from typing import Any

from scripts.common.tables import format_interval, format_number
from scripts.imbalance import plans
from scripts.imbalance.augmenting.columns import NO_ROW, ROW, SYNTHETIC
from scripts.imbalance.generators import GENERATORS

PLANS = {
    plans.CLASS: "In every group, the rarer label gets the rows that it lacks to be as frequent as the other one.",
    plans.CLASS_PROTECTED: (
        "Every group and label gets the rows that it lacks to be as frequent as the commoner label of the largest "
        "group."
    ),
    plans.PROTECTED: (
        "Every group gets the rows that it lacks to be as large as the largest group; their labels are generated too."
    ),
    plans.SAME_CLASS: (
        "Every group but the largest gets rows of one label, until its fraction of positive labels is that of the "
        "largest group, rounded down to whole rows."
    ),
}
KINDS = {
    "bootstrap": "copies of real rows of the same group and label, drawn with replacement",
    "copula": "columns distributed as in the real rows and tied to one another by a Gaussian copula",
    "cart": "column by column, each value that of a real row which a tree on the columns before finds alike",
    "smote_nc": "each row between a real one and one of its nearest neighbours",
    "vae": "a variational autoencoder, a neural network that learns all groups and labels at once",
}
TEST = (
    "Train on this table, never test on it: synthetic rows are made from all of its rows, so put test rows aside "
    "before you augment."
)
STUDY = (
    "In the study behind this command, the plan decided more than the generator: compare with plain copies of rows "
    "(GENERATOR=bootstrap) and with row weights before you trust one. See docs/studies/imbalance.md."
)
GROUPS = 4  # as many as sentences name


def percent(part: float, whole: float) -> str:
    """Return "12.3 %"; "–" of nothing."""
    return f"{100 * part / whole:.1f} %" if whole else "–"


def by_group(about: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return per group the rows of both labels and the fraction of positive ones, before and after."""
    found = {}
    for row in about["counts"]:
        found.setdefault(row["group"], {})[row["label"]] = row
    lines = []
    for group, (zero, one) in ((group, (rows[0], rows[1])) for group, rows in found.items()):
        before = zero["before"] + one["before"]
        after = before + zero["added"] + one["added"]
        line = {"group": group, "zero": zero, "one": one, "before": before, "after": after}
        line |= {"rate": percent(one["before"], before), "new_rate": percent(one["before"] + one["added"], after)}
        lines.append(line)
    return lines


def findings(about: Mapping[str, Any]) -> list[str]:
    """Return what was added and what it changes."""
    how = f"plan {about['plan']}, generator {about['generator']}"
    sentences = [
        f"{about['added']:,} synthetic rows were added to the {about['rows']:,} rows of {about['title']} "
        f"({percent(about['added'], about['rows'])}; {how})."
    ]
    changed = [line for line in by_group(about) if line["rate"] != line["new_rate"]]
    if changed and len(changed) <= GROUPS:
        rates = "; ".join(f"{line['group']} from {line['rate']} to {line['new_rate']}" for line in changed)
        sentences.append(f"Fraction of positive labels ({about['positive']}): {rates}.")
    return sentences


def notes(about: Mapping[str, Any]) -> list[str]:
    """Return what happened to columns, in sentences."""
    found = [f"Synthetic rows have 1 in the column {SYNTHETIC} and {NO_ROW} in {ROW}."]
    for name, (gaps, value) in about["filled"].items():
        found.append(f"{name}: {gaps:,} missing values are filled with {value}, the median or most frequent one.")
    for name in about["drawn"]:
        found.append(
            f"{name}: a group joins several values, so those of synthetic rows are drawn from real rows of their group "
            "and label, whatever their other columns say."
        )
    for name, column in about["followed"].items():
        found.append(f"{name}: no feature, filled by {column}, which determines it in the real rows.")
    if about["empty"]:
        found.append(f"Empty in synthetic rows, since these columns are no features: {', '.join(about['empty'])}.")
    return found


def markdown(about: Mapping[str, Any], titles: Mapping[str, str]) -> str:
    """Return the report as Markdown.

    Args:
        titles: of the metrics of quality.
    """
    lines = [f"# {_escaped(about['name'])}", "", *(_escaped(line) for line in findings(about)), "", TEST, "", STUDY, ""]
    if about["warnings"]:
        lines += ["## Before you use it", "", *(f"- {_escaped(line)}" for line in about["warnings"]), ""]
    lines += ["## What was added", "", f"{PLANS[about['plan']]} {GENERATORS[about['generator']].title}: "]
    lines[-1] += f"{KINDS[about['generator']]}."
    lines += ["", "| group | label | before | added | after |", "|:--|--:|--:|--:|--:|"]
    for row in about["counts"]:
        numbers = (row["before"], row["added"], row["before"] + row["added"])
        shown = " | ".join(f"{number:,}" for number in numbers)
        lines.append(f"| {_escaped(row['group'])} | {row['label']} | {shown} |")
    lines += ["", f"Label 1: {_escaped(about['positive'])}.", "", seconds(about), ""]
    if about["quality"]:
        lines += ["## How close the rows are to real ones", "", QUALITY, ""]
        lines += ["| | synthetic rows | real rows |", "|:--|--:|--:|"]
        lines += [f"| {titles[row['metric']]} | {value(row)} | {real(row)} |" for row in about["quality"]]
        lines.append("")
    lines += ["## Columns", "", *(f"- {_escaped(line)}" for line in notes(about)), ""]
    lines += ["## How it was made", "", *(f"- {name}: {_escaped(str(what))}" for name, what in origin(about).items())]
    return "\n".join(lines) + "\n"


QUALITY = (
    "The generator was fitted again on two thirds of the rows, and its rows compared with the other third, which it "
    "had not seen. The last column is what real rows reach in the place of synthetic ones. 95 % intervals hold for "
    "these rows."
)


def value(row: Mapping[str, Any]) -> str:
    """Return a number of quality with its interval."""
    ends = [float("nan") if row[end] is None else row[end] for end in ("ci_low", "ci_high")]
    return format_interval(row["value"], *ends)


def real(row: Mapping[str, Any]) -> str:
    """Return what real rows reach; "–" where that is 1 by definition."""
    return format_number(row["real"])


def seconds(about: Mapping[str, Any]) -> str:
    """Return the cost."""
    return f"CPU seconds: {about['seconds']['fit']:.1f} to fit, {about['seconds']['sample']:.1f} to draw the rows."


def origin(about: Mapping[str, Any]) -> dict[str, Any]:
    """Return what someone needs to make the table again, by its name."""
    settings = ", ".join(f"{name} {number}" for name, number in about["settings"].items())
    return {
        "table": f"{about['table']} ({about['title']}), {about['rows']:,} rows",
        "attributes": ", ".join(about["attributes"]),
        "plan": about["plan"],
        "dose": f"{about['dose']:g}",
        "generator": about["generator"] + (f" ({settings})" if settings else ""),
        "seed": about["seed"],
        **{f"sha256 of {name}": code for name, code in about["sha256"].items()},
        "versions": ", ".join(f"{name} {number}" for name, number in about["versions"].items()),
    }


def _escaped(text: str) -> str:
    """Return text that Markdown shows as it is, in one line."""
    for character in "\\`*_[]<>|#":
        text = text.replace(character, f"\\{character}")
    return " ".join(text.split())
