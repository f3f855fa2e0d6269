"""What a schema cannot say of the block `frtrain:`: how its values must fit one another."""

from scripts.common.consistency import distinct
from scripts.common.errors import UserError
from scripts.common.own_tables import check_names
from scripts.common.tabular import TABLES
from scripts.frtrain.plan import CLEAN_ROWS, Plan, cells

ROBUST_WEIGHT = {"clean": 0.1, "poisoned": 0.4}  # lambda_r; with lambda_f it must leave the classifier some weight
CROWDS = ("compas", "adult")  # tables with a published crowd file
MOST_CLEAN_ROWS = 3900  # the published 200 and the 3,700 that no part of the synthetic data uses


def check(study: dict) -> None:
    """Check a block that the schema accepts.

    Raises:
        UserError: a seed or lambda is not where it must also be, lambdas are too large, a data set stands twice or
            lacks the subset, too many validation rows are asked for, or two runs have one name.
    """
    if strange := sorted(set(study["few_seeds"]) - set(study["seeds"])):
        raise UserError(f"config: frtrain.few_seeds: {strange[0]} is not among frtrain.seeds; take some of those")
    for labels, own in study["lambdas"].items():
        for grid in ("published", "all_seeds"):
            if own["printed"] not in own[grid]:
                raise UserError(
                    f"config: frtrain.lambdas.{labels}.{grid}: lacks {own['printed']:g}, which is `printed`; add it"
                )
        real = study["real"]["lambdas"][labels]
        for where, grid in {**{f"lambdas.{labels}.{name}": own[name] for name in ("published", "all_seeds", "odds")},
                            f"real.lambdas.{labels}": real}.items():  # fmt: skip
            if max(grid) + ROBUST_WEIGHT[labels] >= 1:
                raise UserError(
                    f"config: frtrain.{where}: {max(grid):g} and lambda_r = {ROBUST_WEIGHT[labels]:g} leave the "
                    "classifier no weight; their sum must stay below 1"
                )
    entries = study["real"]["datasets"]
    distinct([f"{entry['table']}.{entry['attribute']}" for entry in entries], "frtrain.real.datasets", "entries are")
    check_names({f"frtrain.real.datasets.{place}.table": entry["table"] for place, entry in enumerate(entries)})
    for entry in entries:
        table = TABLES[entry["table"]]
        if entry["subset"] not in table.subset_names:
            raise UserError(
                f"config: frtrain.real.datasets: {entry['table']} has no subset {entry['subset']!r}; take all"
            )
        if entry["crowd"] and entry["table"] not in CROWDS:
            raise UserError(
                f"config: frtrain.real.datasets: there is no published crowd of {entry['table']}, only of "
                f"{' and '.join(CROWDS)}; leave `crowd` empty"
            )
        if entry["attribute"] not in table.attributes:
            raise UserError(
                f"config: frtrain.real.datasets: {entry['table']} has no attribute {entry['attribute']!r}; "
                f"there are {', '.join(table.attributes)}"
            )
    if max(study["clean_rows"]) > MOST_CLEAN_ROWS:
        raise UserError(
            f"config: frtrain.clean_rows: {max(study['clean_rows'])}, but there are {MOST_CLEAN_ROWS} such rows "
            f"({CLEAN_ROWS} are published)"
        )
    for batch in Plan(study).batches:
        distinct([cell.run for cell in cells(batch, study)], "frtrain", f"settings of {batch} give a run")
