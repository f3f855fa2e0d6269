"""Rule `frtrain_compile`: compile the training loops, and note what was compiled by what.

Every fit waits for this job, so all of them read the same machine code from the disk.
"""

from scripts.common.compiled import write_note
from scripts.common.logs import job
from scripts.frtrain import adversarial, loop, reweight  # compiled on import

KERNELS = [loop.train, adversarial.descend, reweight.descend]

if "snakemake" in globals():
    with job(snakemake):
        write_note(KERNELS, snakemake.output[0])
