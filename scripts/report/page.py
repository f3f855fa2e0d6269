"""Rule `report`: one page for readers, in one file that needs no network.

What comes from the data reaches the page escaped; the page's own style and script are the only ones that its
content security policy lets a browser run.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd

from scripts.claims.verdicts import VERDICTS
from scripts.common import html, parquet
from scripts.common.errors import UserError
from scripts.common.files import atomic_path
from scripts.common.logs import log
from scripts.common.schemas.claims import CLAIMS
from scripts.common.schemas.metrics import METRICS
from scripts.report.embed import embed
from scripts.report.page_claims import by_study_alt, claim_rows, summary_lists, tolerance_alt, verdict_counts
from scripts.report.page_study import by_dataset, dataset_names, how, relative, run_times, study_entry

HERE = Path(__file__).parent
MEGABYTES = 15  # larger pages are slow on a phone


def read_manifest(path: str | Path) -> dict:
    """Return the manifest of a run.

    Raises:
        UserError: the file is missing or is no JSON object.
    """
    try:
        manifest = json.loads(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise UserError(f"{path}: no such file; run the workflow to make it") from error
    except ValueError as error:
        raise UserError(f"{path}: damaged or no JSON ({error}); delete it and run the workflow") from error
    if not isinstance(manifest, dict):
        raise UserError(f"{path}: not a JSON object; delete it and run the workflow")
    return manifest


def moment(time: str | None) -> str:
    """Return an ISO time as "2026-11-24 16:42 UTC"; other strings are returned unchanged."""
    try:
        return datetime.fromisoformat(time or "").astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")
    except ValueError:
        return time or "at an unknown time"


def duration(seconds: float | None) -> str:
    """Return "1 h 52 min", "3 min 5 s" or "4.2 s"."""
    if seconds is None:
        return "–"
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def hardware_text(hardware: dict | None) -> str:
    """Return "cpu: name, cores: 2, memory: 24,105 MB"; empty entries are left out."""
    parts = []
    for key, value in (hardware or {}).items():
        name, _, unit = key.rpartition("_")
        if unit in ("mb", "gb") and isinstance(value, (int, float)):
            parts.append(f"{name}: {value:,} {unit.upper()}")
        elif value not in (None, "", [], {}):
            shown = ", ".join(map(str, value)) if isinstance(value, list) else value
            parts.append(f"{key.replace('_', ' ')}: {shown}")
    return ", ".join(parts) or "unknown"


def file_size(count: int | None) -> str:
    """Return bytes as "1.2 MB" or "13 kB"."""
    if count is None:
        return "–"
    return (
        f"{count / 1e6:.1f} MB" if count >= 1e6 else f"{max(count, 1) / 1e3:.0f} kB" if count >= 1e3 else f"{count} B"
    )


def files_listed(mapping: dict | list | None) -> list[tuple[str, str, str]]:
    """Return (path, size, sha256) per file of a part of the manifest.

    The part is {path: sha256}, {path: {sha256, bytes}} or a list of paths; size and sha256 are "–" where unknown.
    """
    if isinstance(mapping, list):
        mapping = dict.fromkeys(mapping)
    lines = []
    for path, about in (mapping or {}).items():
        about = about if isinstance(about, dict) else {"sha256": about}
        lines.append((path, file_size(about.get("bytes")), about.get("sha256") or "–"))
    return lines


def render(
    root: Path,
    page: str | Path,
    claims: pd.DataFrame,
    manifest: dict,
    metrics: Mapping[str, pd.DataFrame],
    made_by: dict[str, dict],
    tolerance: Mapping[str, str],
    by_study: Mapping[str, str],
) -> str:
    """Return the whole page.

    Args:
        root: the project's folder.
        page: path of the page to write; links are relative to it.
        claims: rows of `CLAIMS`.
        metrics: study -> rows of `METRICS`; its studies are those of the page, in their order.
        made_by: as `made_by.made_by` returns it.
        tolerance, by_study: the files of the figures of counts by tolerance and by study: png, pdf, parquet.

    Raises:
        UserError: a file of a study is missing or broken.
    """
    names = list(metrics)
    claims = claims[claims["study"].isin(names)]
    rows = claim_rows(claims)
    entries = [
        study_entry(name, root, page, [row for row in rows if row["study"] == name], manifest, made_by)
        for name in names
    ]
    datasets = {name: dataset_names(frame) for name, frame in metrics.items()}
    env = html.environment(HERE)
    env.filters |= {
        "duration": duration,
        "moment": moment,
        "hardware_text": hardware_text,
        "files_listed": files_listed,
        "relative": lambda path: relative(path, page),
    }
    return html.page(
        env,
        "page.html.jinja",
        title="Counterweight: what trustworthy AI costs",
        styles=["page.css"],
        scripts=["page.js"],
        studies=entries,
        titles={entry["name"]: entry["title"] for entry in entries},
        datasets=datasets,
        kinds=by_dataset(datasets),
        manifest=manifest,
        other_times={
            block: run_times(times) for block, times in (manifest.get("run_times") or {}).items() if block not in names
        },
        licence=(root / "LICENSE").read_text(encoding="utf-8").splitlines()[0],
        verdicts=VERDICTS,
        lists=summary_lists(claims),
        counts=verdict_counts(claims, names),
        tolerance=claims_figure(
            "by-tolerance", "How the counts move with the tolerance", tolerance_alt(claims), tolerance, made_by
        ),
        by_study=claims_figure("by-study", "The papers' claims by study", by_study_alt(claims), by_study, made_by),
    )


def claims_figure(name: str, title: str, alt: str, files: Mapping[str, str], made_by: dict[str, dict]) -> dict:
    """Return the template's values for a figure of claims; `files` are its png, pdf and parquet."""
    return {
        "id": name,
        "title": title,
        "alt": alt,
        "picture": embed(files["png"]),
        "animation": None,
        "links": [("vector picture (PDF)", files["pdf"]), ("plotted numbers (Parquet)", files["parquet"])],
        "how": how(files["png"], made_by),
    }


def write_page(
    root: str | Path,
    output: str | Path,
    claims_path: str,
    manifest_path: str,
    metrics: Mapping[str, str],
    made_by: dict[str, dict],
    tolerance: Mapping[str, str],
    by_study: Mapping[str, str],
) -> None:
    """Read the files of a run and write the page; arguments as `render`, with paths for frames.

    Raises:
        UserError: a file is missing or broken, the disk is full.
    """
    frames = {study: parquet.read(path, METRICS, columns=["dataset"]) for study, path in metrics.items()}
    claims = parquet.read(claims_path, CLAIMS)
    text = render(Path(root), output, claims, read_manifest(manifest_path), frames, made_by, tolerance, by_study)
    megabytes = len(text.encode()) / 1e6
    log.info("%d studies, %d claims, %.1f MB", len(frames), len(claims), megabytes)
    if megabytes > MEGABYTES:
        log.warning("%s: %.1f MB, more than %d: draw fewer or smaller animations", output, megabytes, MEGABYTES)
    with atomic_path(output) as temporary:
        temporary.write_text(text, encoding="utf-8")


if "snakemake" in globals():
    from scripts.common.logs import job

    with job(snakemake):
        files, params = snakemake.input, snakemake.params
        write_page(
            params.root,
            snakemake.output[0],
            files.claims,
            files.manifest,
            dict(zip(params.studies, files.metrics, strict=True)),
            params.made_by,
            {Path(path).suffix[1:]: path for path in files.tolerance},
            {Path(path).suffix[1:]: path for path in files.by_study},
        )
