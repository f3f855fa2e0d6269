"""Rule `boosting_two_stages`: decisions of every arm in the synthetic selection of two stages."""

import pandas as pd

from scripts.boosting.names import run_name
from scripts.boosting.two_stages import ARMS, ATTRIBUTES, applicants, select
from scripts.common.logs import job, progress
from scripts.common.schemas.predictions import write_predictions

CELL = "two_stages"


def decide(rows: int, rounds: int, seeds: list[int]) -> pd.DataFrame:
    """Return the decisions on new applicants, in schema PREDICTIONS with both attributes and the stages passed."""
    frames = []
    for seed in progress(seeds, CELL, unit="seed"):
        people = applicants(rows, seed)
        train, test = people.iloc[: rows // 2].reset_index(drop=True), people.iloc[rows // 2 :].reset_index(drop=True)
        for arm in ARMS:
            frames.append(select(train, test, arm, rounds).assign(run=run_name(CELL, "corrected", arm, seed)))
    return pd.concat(frames, ignore_index=True).assign(split="test")


if "snakemake" in globals():
    with job(snakemake):
        found = decide(snakemake.params.rows, snakemake.params.rounds, snakemake.params.seeds)
        write_predictions(found, snakemake.output[0], ATTRIBUTES)
