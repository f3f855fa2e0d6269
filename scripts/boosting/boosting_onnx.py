"""Rule `boosting_onnx`: one fair gradient booster of every cell as ONNX."""

from collections.abc import Sequence

from scripts.boosting.gradient import load
from scripts.boosting.onnx_export import to_onnx
from scripts.common.files import atomic_path
from scripts.common.logs import job, log


def export(paths: Sequence[str], runs: Sequence[str], outputs: Sequence[str]) -> None:
    """Write the named run of every file of gradient boosters as ONNX."""
    for path, run, output in zip(paths, runs, outputs, strict=True):
        model = to_onnx(load(path, run))
        with atomic_path(output) as temporary:
            temporary.write_bytes(model.SerializeToString(deterministic=True))
        log.info("%s: %s", output, run)


if "snakemake" in globals():
    with job(snakemake):
        export(list(snakemake.input.gradient), list(snakemake.params.runs), list(snakemake.output))
