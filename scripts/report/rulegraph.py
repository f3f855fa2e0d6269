"""Rule `rulegraph`: the rules of the whole workflow as a Mermaid picture, a box per rule file."""

import re
import subprocess
import sys
import tempfile
from pathlib import Path

from scripts.common.files import atomic_path
from scripts.common.logs import job

NODE, EDGE = re.compile(r"^\s*(id\d+)\[(\w+)\]$", re.M), re.compile(r"^\s*(id\d+) --> (id\d+)$", re.M)


def rulegraph_of(snakefile: str | Path) -> str:
    """Return Snakemake's own rule graph of the default config, as if nothing had been made yet."""
    with tempfile.TemporaryDirectory() as empty:
        command = [sys.executable, "-m", "snakemake", "--snakefile", str(Path(snakefile).resolve())]
        command += ["--directory", empty, "--nolock", "--rulegraph", "mermaid-js"]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def mermaid(graph: str, files: dict[str, str]) -> str:
    """Return the graph with a box per rule file, in an order that depends on names alone.

    Args:
        graph: Snakemake's output.
        files: rule name to the stem of its rule file, in the order of the boxes. Other rules are left out.

    Raises:
        ValueError: no rule is in the graph.
    """
    names = {node: name for node, name in NODE.findall(graph) if name in files}
    if not names:
        raise ValueError("Snakemake's rule graph holds none of the rules")
    edges = sorted({(names[a], names[b]) for a, b in EDGE.findall(graph) if a in names and b in names})
    lines = ["flowchart LR"]
    for file in dict.fromkeys(files.values()):
        own = sorted(name for name in names.values() if files[name] == file)
        if own:
            lines += [f'  subgraph box_{file}["rules/{file}.smk"]', *(f"    {name}" for name in own), "  end"]
    lines += [f"  {a} --> {b}" for a, b in edges]
    return "\n".join(lines)


def write_rulegraph(snakefile: str | Path, files: dict[str, str], output: str | Path) -> None:
    """Write the graph as a Markdown code block."""
    with atomic_path(output) as temporary:
        temporary.write_text(f"```mermaid\n{mermaid(rulegraph_of(snakefile), files)}\n```\n", encoding="utf-8")


if "snakemake" in globals():
    with job(snakemake):
        write_rulegraph(snakemake.input.snakefile, snakemake.params.files, snakemake.output[0])
