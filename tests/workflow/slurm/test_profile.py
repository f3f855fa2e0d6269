"""The Slurm profile is valid: planned without a Slurm, every submitted job fits a partition."""

import re

import yaml

from tests.workflow.conftest import ROOT, snakemake

PARTITIONS = yaml.safe_load((ROOT / "profiles/slurm/partitions.yaml").read_text(encoding="utf-8"))["partitions"]


def planned(folder) -> tuple[dict[str, list[int]], set[str]]:
    """Return {rule: [CPUs, MB, minutes, GPUs]} of what a dry run with a GPU submits, and all other rules."""
    overlay = folder / "gpu.yaml"
    overlay.write_text("gpu: 1\n", encoding="utf-8")
    result = snakemake(folder, "--dry-run", "--profile", str(ROOT / "profiles/slurm"), config=overlay)
    assert result.returncode == 0, result.stdout[-3000:]
    submitted, local = {}, set()
    for name, body in re.findall(r"^rule (\w+):\n((?:    .*\n)+)", result.stdout, re.M):
        if "    benchmark: " in body:  # what the Snakefile does not keep on the submitting machine
            values = dict(re.findall(r"\b(threads|mem_mb|runtime|gpu)[=:] ?(\d+)", body))
            wanted = [int(values.get(key, "0")) for key in ("threads", "mem_mb", "runtime", "gpu")]
            submitted[name] = [max(pair) for pair in zip(wanted, submitted.get(name, [0] * 4), strict=True)]
        else:
            local.add(name)
    return submitted, local


def test_every_job_fits_a_partition_and_small_ones_are_not_submitted(tmp_path):
    submitted, local = planned(tmp_path)
    assert {
        "tradeoffs_train",
        "tradeoffs_evaluate",
        "frtrain_fit",
        "income_fit",
        "leakage_models",
        "render_faces",
    } <= submitted.keys()
    assert {"tradeoffs_gather", "claims", "report", "tradeoffs_draw", "fetch_package"} <= local
    assert submitted["tradeoffs_train"][3] == submitted["tradeoffs_evaluate"][3] == 1
    for rule, (cpus, memory, minutes, gpus) in submitted.items():
        assert memory and minutes, f"{rule} is submitted, but names no memory or run time"
        assert any(
            cpus <= limits["max_threads"]
            and 4 * memory <= limits["max_mem_mb"]  # the third attempt
            and 4 * minutes <= 60 * int(limits["max_runtime"].rstrip("h"))
            and gpus <= limits.get("max_gpu", 0)
            for limits in PARTITIONS.values()
        ), f"{rule} fits no partition"
