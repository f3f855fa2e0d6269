"""Rule `paper_cost`: what a run at the papers' scale costs, extrapolated from this run; `snakemake paper_cost`.

Studies on tables: hours of jobs measured in this run, times the ratio of the work at the paper's config to that of
this run's config (`work` of `scripts/X/cost.py`). A study on images: its counted FLOPs (`flops` there) over an
assumed fraction of a GPU's peak, since no GPU was available. A study without a `cost.py` is not extrapolated.
"""

import importlib
import importlib.util
import re
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import yaml

from scripts.common.errors import UserError
from scripts.common.files import atomic_path
from scripts.common.tables import save_table
from scripts.report.markdown import put_between_marks

PEAK = 989e12  # dense bfloat16 FLOP/s of an H100 (SXM)
UTILIZATION = 0.25  # fraction of the peak; 0.25 is ordinary, 0.4 the best published
COLUMNS = ["study", "jobs", "models", "job hours, this run", "job hours, paper", "GPU hours, paper", "how"]


def paper_settings(root: Path) -> dict:
    """Return config.yaml with config.paper.yaml over it, as Snakemake merges them."""

    def put(below: dict, above: dict) -> dict:
        for key, value in above.items():
            nested = isinstance(value, dict) and isinstance(below.get(key), dict)
            below[key] = put(below[key], value) if nested else value
        return below

    config, paper = (
        yaml.safe_load((root / name).read_text(encoding="utf-8")) for name in ("config.yaml", "config.paper.yaml")
    )
    return put(config, paper)


def planned_jobs(root: Path, home: dict[str, str]) -> Counter:
    """Return the number of jobs of each study in a dry run at the papers' scale.

    Args:
        home: {rule: study}.

    Raises:
        UserError: the dry run fails.
    """
    with tempfile.TemporaryDirectory() as folder:
        overlay = Path(folder, "rendered.yaml")
        overlay.write_text("faces: {source: rendered}\n", encoding="utf-8")  # CelebA's terms are not ours to accept
        command = [sys.executable, "-m", "snakemake", "--snakefile", str(root / "Snakefile"), "--directory", folder]
        command += ["--dry-run", "--cores", "1", "--quiet", "rules"]
        command += ["--configfile", str(root / "config.paper.yaml"), str(overlay)]
        result = subprocess.run(command, capture_output=True, text=True, encoding="utf-8")
    if result.returncode:
        raise UserError(f"the dry run of config.paper.yaml failed: {result.stderr.strip().splitlines()[-1]}")
    jobs: Counter = Counter()
    listed = result.stdout.split("Job stats:")[1].split("total")[0]
    for rule, count in re.findall(r"^(\w+) +(\d+)$", listed, re.M):
        if rule in home:
            jobs[home[rule]] += int(count)
    return jobs


def cost_of(study: str, here: dict, paper: dict, seconds: float, rows: dict) -> dict:
    """Return a study's line of the table: models, job hours here and at the papers' scale, GPU hours, method."""
    line = {"job hours, this run": seconds / 3600, "job hours, paper": float("nan"), "GPU hours, paper": 0.0}
    if importlib.util.find_spec(f"scripts.{study}.cost") is None:
        return line | {"models": pd.NA, "how": "not extrapolated: the study has no cost.py"}
    cost = importlib.import_module(f"scripts.{study}.cost")
    if hasattr(cost, "flops"):
        models, training, attacks = cost.flops(paper)
        hours = [amount / (PEAK * UTILIZATION) / 3600 for amount in (training, attacks)]
        how = f"computed: {training:.2g} FLOPs to train ({hours[0]:.1f} h), at most {attacks:.2g} for the attacks"
        return line | {"models": models, "GPU hours, paper": sum(hours), "how": how}
    (_, now), (models, then) = cost.work(here, rows), cost.work(paper, rows)
    line["job hours, paper"] = seconds / 3600 * then / now
    return line | {"models": models, "how": f"measured here, times {then / now:.1f} as much work"}


def table(root: Path, manifest: dict, tables: list[str], home: dict[str, str]) -> pd.DataFrame:
    """Return one row per study (columns `COLUMNS`) and their sum.

    Args:
        manifest: content of results/manifest.json: the settings of this run and how long its jobs took.
        tables: the prepared tables, results/data/tabular/NAME.parquet.
        home: {rule: study}.
    """
    paper, jobs = paper_settings(root), planned_jobs(root, home)
    rows = {Path(path).stem: pq.read_metadata(path).num_rows for path in tables}
    lines = []
    for study in sorted(set(home.values())):
        seconds = sum(rule["seconds"] for rule in (manifest["run_times"].get(study) or {}).values())
        line = cost_of(study, manifest["settings"][study], paper[study], seconds, rows)
        lines.append({"study": study, "jobs": jobs[study], **line})
    frame = pd.DataFrame(lines)[COLUMNS]
    total = {name: frame[name].sum() for name in COLUMNS[1:-1]}
    frame.loc[len(frame)] = {"study": "together", **total, "how": ""}
    return frame.astype({"jobs": "Int64", "models": "Int64"})


def write(frame: pd.DataFrame, path: Path, page: Path) -> None:
    """Write the table in three formats and put it into its place in a page."""
    caption = (
        f"A run at the papers' scale, extrapolated. GPU hours: FLOPs over {UTILIZATION:.0%} of the "
        f"{PEAK / 1e12:.0f} TFLOP/s (dense bfloat16) of an H100, not measured on one."
    )
    save_table(frame, path, caption, digits=2)
    text, table = page.read_text(encoding="utf-8"), path.with_suffix(".md").read_text(encoding="utf-8")
    with atomic_path(page) as temporary:
        temporary.write_text(put_between_marks(text, "paper-cost", table, page.name), encoding="utf-8")


if "snakemake" in globals():
    import json

    from scripts.common.logs import job

    with job(snakemake):
        costs = table(
            Path(snakemake.params.root),
            json.loads(Path(snakemake.input.manifest).read_text(encoding="utf-8")),
            list(snakemake.input.tables),
            snakemake.params.home,
        )
        write(costs, Path(snakemake.output[0]).with_suffix(""), Path(snakemake.params.root, "docs/cluster.md"))
