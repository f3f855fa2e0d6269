"""What a schema cannot say of the block `backdoor:`: how its values must fit one another."""

from scripts.backdoor.shapes import check_targets, draw
from scripts.common.errors import UserError


def check(study: dict) -> None:
    """Check a block that the schema accepts.

    Raises:
        UserError: a trigger cannot be drawn, a ratio stamps nothing or has nothing to stamp, no model is trained, the
            notebook's search is asked for of no kind, or what is asked of the digits they do not have.
    """
    for kind, entry in study["models"].items():
        where = f"config: backdoor.models.{kind}"
        for trigger in entry["triggers"]:
            draw(trigger, where)
        check_targets(entry["triggers"], where)
        if bool(entry["triggers"]) != bool(entry["ratio"]):
            raise UserError(f"{where}: a ratio above 0 and triggers go together; give both, or neither")
    if not any(entry["seeds"] for entry in study["models"].values()):
        raise UserError("config: backdoor.models: no kind has a seed; give one of them a seed")
    for kind in study["notebook"]["kinds"]:
        if kind not in study["models"]:
            raise UserError(
                f"config: backdoor.notebook.kinds: no kind of models {kind!r}; there are {', '.join(study['models'])}"
            )
    if study["data"]["source"] == "package":
        if study["pools"]["evaluation"] is None:
            raise UserError(
                "config: backdoor.pools.evaluation: null takes the official test part, which source package lacks"
            )
        if study["data"]["folder"]:
            raise UserError("config: backdoor.data.folder: a folder is read with source official only")
