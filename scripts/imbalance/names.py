"""Names of methods, protocols and runs, as predictions, figures, tables and claims use them; imports nothing."""

REAL, REWEIGHING, DUPLICATE_ALL = "real", "reweighing", "duplicate_all"
WEIGHTS = "weights"
NO_PLAN = "none"
MAIN, SENSITIVE_KEPT, LOGISTIC = "main", "sensitive kept", "logistic regression"
CHECKS = {"sensitive_kept": SENSITIVE_KEPT, "logistic_regression": LOGISTIC}  # by their names in the config
PUBLISHED, CORRECTED = "as_published", "corrected"


def without(column: str) -> str:
    """Return the name of the sensitivity check that leaves a feature out."""
    return f"without {column}"


def method_name(plan: str, generator: str) -> str:
    """Return the name of a method: "same_class cart", or that of a control without a plan."""
    return generator if plan == NO_PLAN else f"{plan} {generator}"


def dataset_name(entry: dict) -> str:
    """Return the name of a dataset of the config and of its files: TABLE.ATTRIBUTE or TABLE.ATTRIBUTE-ATTRIBUTE."""
    return f"{entry['table']}.{'-'.join(entry['attributes'])}"


def run_name(dataset: str, method: str, dose: float, variant: str, draw: int, split: int, moved: bool) -> str:
    """Return the name of a run; `moved` says whether it was fitted on moved codes."""
    parts = [dataset, "moved codes" if moved else "codes", method]
    parts += [f"dose {dose:g}"] if dose != 1 else []
    parts += [variant] if variant != MAIN else []
    return ".".join([*parts, f"draw{draw}", f"split{split}"])
