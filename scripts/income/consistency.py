"""What a schema cannot say of the block `income:`: how its values must fit one another."""

from scripts.common.consistency import distinct
from scripts.common.errors import UserError
from scripts.common.own_tables import check_names
from scripts.common.tabular import TABLES
from scripts.income.plan import Plan, cell_name


def check(study: dict) -> None:
    """Check a block that the schema accepts.

    Raises:
        UserError: a data set stands twice or lacks the attribute or subset, or none is left without the user's files.
    """
    distinct([cell_name(entry) for entry in study["datasets"]], "income.datasets", "entries are")
    check_names({f"income.datasets.{place}.table": entry["table"] for place, entry in enumerate(study["datasets"])})
    for entry in study["datasets"]:
        table = TABLES[entry["table"]]
        for key, known in (("attribute", table.attributes), ("rows", table.subset_names)):
            if entry[key] not in known:
                raise UserError(
                    f"config: income.datasets: {table.name} has no {key} {entry[key]!r}; there are {', '.join(known)}"
                )
    if not Plan(study).cells:
        raise UserError("config: income.datasets: only data sets without a file are left; name it under tables")
