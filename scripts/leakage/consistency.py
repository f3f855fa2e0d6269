"""What a schema cannot say of the block `leakage:`: how its values must fit one another."""

from itertools import product

from scripts.common.consistency import distinct
from scripts.common.errors import UserError
from scripts.common.own_tables import check_names
from scripts.common.tabular import TABLES


def check(study: dict) -> None:
    """Check a block that the schema accepts.

    Raises:
        UserError: there is no such table, an attribute belongs to another table, or two batches train the same model.
    """
    runs = []
    check_names({f"leakage.models.{name}.table": batch["table"] for name, batch in study["models"].items()})
    for name, batch in study["models"].items():
        known = TABLES[batch["table"]].attributes
        if batch["attribute"] not in known:
            raise UserError(
                f"config: leakage.models.{name}: {batch['table']} has no attribute {batch['attribute']!r}; "
                f"there are {', '.join(known)}"
            )
        models = product([batch["table"]], [batch["attribute"]], batch["methods"], batch["seeds"])
        runs += [f"{table}.{attribute}.{method}.seed{seed}" for table, attribute, method, seed in models]
    distinct(runs, "leakage.models", "batches hold")
