"""Snakemake where nothing is to be done: an empty workflow, and the study that is active here."""

import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.race import ROOT
from benchmarks.side import Work


def empty() -> Work:
    folder = Path(tempfile.mkdtemp())
    (folder / "Snakefile").write_text("rule all:\n")
    return _snakemake("-n", at=folder)


def study() -> Work:
    """Brings the study up to date first."""
    all_of_it = _snakemake("--cores", "4", "all", at=ROOT)
    all_of_it()
    return all_of_it


def _snakemake(*arguments: str, at: Path) -> Work:
    def work() -> float:
        subprocess.run([sys.executable, "-m", "snakemake", *arguments], cwd=at, check=True, capture_output=True)
        return 1

    return work
