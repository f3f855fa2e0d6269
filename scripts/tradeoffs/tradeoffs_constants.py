"""Rule `constants`: the classifiers that reject or accept everyone, as rows like any model.

They see no image, so no attack can break them: their robust accuracy is their clean accuracy.
"""

import numpy as np
import pandas as pd

from scripts.common import parquet
from scripts.common.schemas.predictions import PREDICTIONS, attributes_of, write_predictions
from scripts.tradeoffs.attack_table import attack_names


def constant_predictions(template: pd.DataFrame, run: str, accept: bool) -> pd.DataFrame:
    """Return a model's predictions with every answer replaced: score +1 (accept) or -1 (reject)."""
    return template.assign(run=run, y_pred=np.int8(accept), score=np.float32(1 if accept else -1))


def constant_attacks(template: pd.DataFrame, run: str, accept: bool) -> pd.DataFrame:
    """Return the attacks table of a constant on the images and threats of a model's table.

    A verdict is False (tried, not broken) where the constant is right and null where it is wrong already.
    The published attack stays null under the threats for which the model's table has no verdict of it.
    """
    correct = template["y_true"] == int(accept)
    verdict = pd.Series(False, index=template.index, dtype="boolean").mask(~correct)
    threat = [template[name] for name in ("split", "norm", "eps")]
    published_run = template["published_broken"].notna().groupby(threat).transform("any")
    return template.assign(
        run=run,
        clean_correct=correct,
        robust=correct,
        published_broken=verdict.mask(~published_run),
        **{name: verdict for name in attack_names(template)},
    )


def constants(predictions: str, attacks: str, predictions_out: str, attacks_out: str, run: str, accept: bool) -> None:
    """Write predictions and attacks of a constant classifier for the images of a model of the same protocol.

    Args:
        predictions, attacks: Parquet files of any models of the protocol; the first one's images are taken.
        run: the name of the constant's run.
        accept: whether it accepts or rejects everyone.

    Raises:
        UserError: a file is missing, damaged or of another schema.
    """
    frame = constant_predictions(_first_run(parquet.read(predictions, PREDICTIONS)), run, accept)
    write_predictions(frame, predictions_out, attributes_of(predictions))
    parquet.write(constant_attacks(_first_run(parquet.read(attacks)), run, accept), attacks_out)


def _first_run(frame: pd.DataFrame) -> pd.DataFrame:
    return frame[frame["run"] == frame["run"].iloc[0]].reset_index(drop=True)


if "snakemake" in globals():
    from scripts.common.logs import job

    with job(snakemake):
        for kind, accept in (("reject", False), ("accept", True)):
            constants(
                snakemake.input.predictions,
                snakemake.input.attacks,
                snakemake.output[f"{kind}_predictions"],
                snakemake.output[f"{kind}_attacks"],
                f"{snakemake.wildcards.protocol}.constant_{kind}",
                accept,
            )
