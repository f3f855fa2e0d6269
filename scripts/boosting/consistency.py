"""What a schema cannot say of the block `boosting:`: how its values must fit one another."""

from scripts.boosting.names import MORE_ATTRIBUTES, fair_xgboost
from scripts.boosting.plan import Plan, cell_name
from scripts.boosting.preferences import check_preference
from scripts.common.consistency import distinct
from scripts.common.errors import UserError
from scripts.common.own_tables import check_names
from scripts.common.tabular import TABLES


def check(study: dict) -> None:
    """Check a block that the schema accepts.

    Raises:
        UserError: a data set stands twice or lacks an attribute, none is left without the user's files, a preference
            does not sum to 1 or is of no data set, or two gradient boosters share a name.
    """
    distinct([cell_name(entry) for entry in study["datasets"]], "boosting.datasets", "entries are")
    check_names({f"boosting.datasets.{place}.table": entry["table"] for place, entry in enumerate(study["datasets"])})
    for entry in study["datasets"]:
        name = entry["table"]
        known = [*dict.fromkeys([*TABLES[name].attributes, *MORE_ATTRIBUTES.get(name, ())])]
        for attribute in entry["attributes"]:
            if attribute not in known:
                raise UserError(
                    f"config: boosting.datasets: {name} has no attribute {attribute!r}; there are {', '.join(known)}"
                )
    if not Plan(study).cells:
        raise UserError("config: boosting.datasets: only data sets without a file are left; name it under tables")
    for name, preference in study["preferences"].items():
        if name not in TABLES:
            raise UserError(f"config: boosting.preferences: no data set {name!r}; there are {', '.join(TABLES)}")
        check_preference(preference, 3, f"config: boosting.preferences.{name}")
    if study["gradient_preference"] is not None:
        check_preference(study["gradient_preference"], 3, "config: boosting.gradient_preference")
    weights = [fair_xgboost("DP", weight) for weight in study["gradient"]["weights"]]
    distinct(weights, "boosting.gradient.weights", "weights give a")
