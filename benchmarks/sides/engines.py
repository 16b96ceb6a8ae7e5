"""Snakemake with nothing to do: a workflow of one rule, and the active study."""

import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.race import ROOT
from benchmarks.side import Work

ONE_RULE = """
rule all:
    input: "made"
rule make:
    output: "made"
    params: size=1  # with any parameter, Snakemake imports pandas
    shell: "touch {output}"
"""


def one_rule() -> Work:
    """Run a workflow of one rule once, so that the timed runs have nothing to do."""
    folder = Path(tempfile.mkdtemp())
    (folder / "Snakefile").write_text(ONE_RULE)
    run_all = _snakemake("--cores", "4", "all", folder=folder)
    run_all()
    return run_all


def study() -> Work:
    """Run the active study once, so that the timed runs have nothing to do."""
    run_all = _snakemake("--cores", "4", "all", folder=ROOT)
    run_all()
    return run_all


def _snakemake(*arguments: str, folder: Path) -> Work:
    def work() -> float:
        subprocess.run([sys.executable, "-m", "snakemake", *arguments], cwd=folder, check=True, capture_output=True)
        return 1

    return work
