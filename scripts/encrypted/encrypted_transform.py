"""Rule `encrypted_transform`: the images of a dataset, and the numbers that each setting keeps of them."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from scripts.common.logs import job, log
from scripts.encrypted import images, numbers
from scripts.encrypted.settings import setting_of
from scripts.encrypted.sources import SOURCES
from scripts.encrypted.transforms import matrix_of


def transform(name: str, chosen: Mapping[str, Any], settings: Sequence[str], output: Mapping[str, str | Path]) -> None:
    """Write the images of a dataset (`images`, `index`) and the numbers [n, k] of every setting (`numbers`).

    Args:
        name: of the dataset in the config.
        chosen: its entry, and the places of its files (`Plan.image_settings`).

    Raises:
        UserError: the images cannot be used, or a transform cannot give k numbers of them.
    """
    entry = chosen["entry"]
    found = SOURCES[entry["source"]](entry, chosen["places"])
    found = images.check(images.limited(found, entry.get("most_rows", {}), entry["source"]), name)
    images.write(found, output["images"], output["index"])
    kinds = dict.fromkeys((setting.transform, setting.k) for setting in map(setting_of, settings))
    values = found.values.astype(np.float64)
    numbers.write({f"{kind}-{k}": values @ matrix_of(kind, found.side, k).T for kind, k in kinds}, output["numbers"])
    log.info("%s: %d training and %d test images of %d pixels a side", found.title, *_parts(found), found.side)


def _parts(found: images.Images) -> tuple[int, int]:
    return int((~found.test).sum()), int(found.test.sum())


if "snakemake" in globals():
    with job(snakemake):
        transform(
            snakemake.wildcards.dataset,
            snakemake.params.chosen,
            snakemake.params.settings,
            dict(snakemake.output.items()),
        )
