"""Snakemake with nothing to do: an empty workflow, and the active study."""

import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.race import ROOT
from benchmarks.side import Work


def empty() -> Work:
    """Plan an empty workflow."""
    folder = Path(tempfile.mkdtemp())
    (folder / "Snakefile").write_text("rule all:\n")
    return _snakemake("-n", folder=folder)


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
