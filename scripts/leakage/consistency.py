"""What a schema cannot say of the block `leakage:`: how its values must fit one another."""

from itertools import product

from scripts.common.consistency import distinct
from scripts.common.errors import UserError


def check(study: dict) -> None:
    """Check a block that the schema accepts.

    Raises:
        UserError: an attribute belongs to another table, or two batches train the same model.
    """
    runs = []
    for name, batch in study["models"].items():
        if batch["attribute"] == "race_five" and batch["table"] != "adult":
            raise UserError(f"config: leakage.models.{name}: race_five is an attribute of adult, not {batch['table']}")
        models = product([batch["table"]], [batch["attribute"]], batch["methods"], batch["seeds"])
        runs += [f"{table}.{attribute}.{method}.seed{seed}" for table, attribute, method, seed in models]
    distinct(runs, "leakage.models", "batches hold")
