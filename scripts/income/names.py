"""The names of the arms, runs and protocols, for all scripts of the study."""

PROTOCOLS = {"as_published": "as published", "corrected": "corrected"}
BASE, MASSAGING = "base", "massaging"
BLIND, BLIND_MASSAGING = "attribute dropped", "massaging, attribute dropped"
LABEL_MASSAGING = "massaging, n counted on labels"
REWEIGHING, THRESHOLDS, GRADIENT = "reweighing", "thresholds per group", "exponentiated gradient"
UNTOUCHED, WORKING = "massaging, untouched test part", "massaging, swap that works"
WORKING_UNTOUCHED = "massaging, swap that works, untouched test part"
ARMS = {
    "as_published": (BASE, MASSAGING, UNTOUCHED, WORKING, WORKING_UNTOUCHED),
    "corrected": (BASE, BLIND, REWEIGHING, MASSAGING, LABEL_MASSAGING, BLIND_MASSAGING, THRESHOLDS, GRADIENT),
}
OWN_SPLIT = (MASSAGING, WORKING)  # as published: judged on a part of the altered data, by its labels
RANDOM = (THRESHOLDS, GRADIENT)  # decide at random; their score is the log-odds of being accepted, not of the label
LABELS = "the labels themselves"

# group, label and decision of the counts of a swap number, in the order of a raveled count table
CELLS = [f"group{group}_label{label}_said{said}" for group in (0, 1) for label in (0, 1) for said in (0, 1)]


def run_name(cell: str, protocol: str, arm: str, seed: int) -> str:
    """Return the name of a run, such as `adult_all.sex.corrected.massaging.seed3`."""
    return f"{cell}.{protocol}.{arm.replace(', ', '-').replace(' ', '_')}.seed{seed}"
