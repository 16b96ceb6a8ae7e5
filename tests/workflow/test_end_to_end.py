"""The real steps under both engines: the same bytes, and each engine accepts what the other made."""

import hashlib
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.workflow.launcher import Launcher
from tests.workflow.scratch import Project

TIMES = re.compile(r"timing\.json$|^report\.html$|^pareto\.")


def shorten(params: dict[str, Any]) -> None:
    """Leave one variant, one seed, two epochs and 150 images."""
    params["study"].update(variants=["cvae_nf"], seeds=[0])
    params["dataset"].update(limit=150)
    params["training"].update(epochs=2)
    params["classifier"].update(epochs=1)
    params["evaluation"]["likelihood"].update(samples=10, budget=100)
    params["evaluation"].update(bound_samples=1)


def checksums(project: Project) -> dict[str, str]:
    """The checksum of each file of data and results, except those that show times."""
    files = [path for folder in ("data", "results") for path in (project.folder / folder).rglob("*") if path.is_file()]
    kept = [path for path in files if not TIMES.search(path.name) and "live" not in path.parts]
    return {str(path.relative_to(project.folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in kept}


def both_engines(
    sources: Project, folder: Path, launcher: Launcher | None, change: Callable[[dict], object]
) -> Project:
    """Run a changed study in two clones, each by one engine, and compare all that they made; one of them comes back."""
    one, other = (Project(sources.copy(folder / engine).folder, launcher) for engine in ("snakemake", "dvc"))
    for project in (one, other):
        project.edit(change)
        project.commit()
    one.run("snakemake", "--cores", "2", "all")
    other.run("dvc", "repro")
    assert checksums(one) == checksums(other)
    assert one.settled() and other.settled()
    assert "Running stage" not in one.run("dvc", "repro")
    return one


def assert_engines_agree(sources: Project, folder: Path, launcher: Launcher | None) -> None:
    """Compare what both engines make of a study of seconds."""
    one = both_engines(sources, folder, launcher, shorten)
    assert any(name.endswith("cvae_nf/seed-0/metrics.json") for name in checksums(one))
    report = (one.folder / "results/digits/report.html").read_text(encoding="utf-8")
    assert "cvae_nf" in report and "http-equiv" in report


@pytest.mark.slow(reason="the short campaign compares all files of a run under DVC with one under Snakemake")
def test_both_engines_make_the_same_bytes(sources: Project, launcher: Launcher, tmp_path: Path) -> None:
    assert_engines_agree(sources, tmp_path, launcher)


@pytest.mark.slow(reason="sixty processes import torch or an engine")
def test_both_engines_make_the_same_bytes_as_processes(sources: Project, tmp_path: Path) -> None:
    assert_engines_agree(sources, tmp_path, None)
