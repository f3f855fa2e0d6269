"""Rule `boosting_compile`: compile the boosting loop, and note what was compiled by what.

Every fit waits for this job, so all of them read the same machine code from the disk.
"""

from scripts.boosting import kernel  # compiled on import
from scripts.common.compiled import write_note
from scripts.common.logs import job

KERNELS = [kernel.boost, kernel.vote, kernel.fair_gradients]

if "snakemake" in globals():
    with job(snakemake):
        write_note(KERNELS, snakemake.output[0])
