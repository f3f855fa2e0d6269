"""Files of the runs that a job of several runs has finished: killed and started again, it goes on with the next run."""

import hashlib
import json
import shutil
from pathlib import Path


class Finished:
    """A folder of the files of finished runs, until all of a job are done.

    `made_from` are settings and checksums of the inputs; files made from others are not found again.
    """

    def __init__(self, folder: str | Path, *made_from: object) -> None:
        digest = hashlib.sha256(json.dumps(made_from, sort_keys=True, default=dict).encode()).hexdigest()
        self.all, self.folder = Path(folder), Path(folder, digest[:16])

    def path(self, run: str, kind: str) -> Path:
        """Return where a Parquet file of a run is kept."""
        return self.folder / f"{run}.{kind}.parquet"

    def clear(self) -> None:
        """Remove all of them, and those made from other settings."""
        shutil.rmtree(self.all, ignore_errors=True)
