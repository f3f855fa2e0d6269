"""Frames of several runs put together."""

from collections.abc import Sequence

import pandas as pd


def filled(frames: Sequence[pd.DataFrame]) -> Sequence[pd.DataFrame]:
    """Return the frames that have rows, or one without, since columns of empty frames have no type."""
    return [frame for frame in frames if len(frame)] or frames[:1]
