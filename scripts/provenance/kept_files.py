"""Predictions and models of the studies, according to the parsed rules, so that none can be forgotten.

A release and the manifest record them by their sha256. A study lists its predictions as the input of a rule
`X_all_predictions`, its models as that of `X_all_models`, and the shared data files that it uses as that of
`X_all_data`; these rules make nothing themselves. Every file that a rule writes below results/X/predictions or
results/X/models must be listed so.
"""

import re
from collections.abc import Iterable

from scripts.common.errors import UserError

KINDS = ("predictions", "models")


def kept_files(rules: Iterable, studies: Iterable[str], kind: str) -> list[str]:
    """Return the files of a kind ("predictions", "models", "data") of all studies, sorted, each once.

    Args:
        rules: the rules of the workflow, as Snakemake holds them.
        studies: names of the studies of the config.
    """
    # A workflow that uses this one as a module may add a prefix to the rule names.
    wanted = re.compile(rf"(?:.*_)?(?:{'|'.join(map(re.escape, studies))})_all_{kind}")
    return sorted({str(path) for rule in rules if wanted.fullmatch(rule.name) for path in rule.input})


def hashed_files(rules: Iterable, study: str) -> list[str]:
    """Return the predictions and models of one study; its release holds only their sha256."""
    rules = list(rules)
    return [path for kind in KINDS for path in kept_files(rules, [study], kind)]


def check_kept(rules: Iterable, studies: Iterable[str]) -> None:
    """Check that every prediction or model that a rule writes is listed by its study.

    Raises:
        UserError: names the rule, the file and the list that lacks it.
    """
    rules = list(rules)
    for study in studies:
        for kind in KINDS:
            listed = kept_files(rules, [study], kind)
            for rule in rules:
                for output in rule.output:
                    if not str(output).startswith(f"results/{study}/{kind}/"):
                        continue
                    if not any(output.match(path) for path in listed):
                        raise UserError(
                            f"rules/{study}.smk: rule {rule.name} writes {output}, which is no input of a rule "
                            f"{study}_all_{kind}; list it there"
                        )
