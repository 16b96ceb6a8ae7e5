"""The steps themselves under both engines: equal bytes, and each accepts what the other made."""

import hashlib
import re
from pathlib import Path
from typing import Any

import pytest

from tests.workflow.scratch import Project

TIMES = re.compile(r"timing\.json$|^report\.html$|^pareto\.")


def shorten(params: dict[str, Any]) -> None:
    """A study of seconds: two variants, one seed, two epochs."""
    params["study"].update(variants=["cvae", "cvae_nf"], seeds=[0])
    params["training"].update(epochs=2)
    params["classifier"].update(epochs=1)
    params["evaluation"].update(importance_samples=10, bound_samples=1)


@pytest.fixture(scope="module")
def project(sources: Project) -> Project:
    project = sources.copy(sources.folder.with_name("real"))
    project.edit(shorten)
    project.commit()
    return project


def checksums(project: Project) -> dict[str, str]:
    """Checksums of all that the study made but what shows the time that was taken."""
    files = [path for folder in ("data", "results") for path in (project.folder / folder).rglob("*") if path.is_file()]
    kept = [path for path in files if not TIMES.search(path.name) and "live" not in path.parts]
    return {str(path.relative_to(project.folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in kept}


def test_two_clones_run_by_one_engine_each_hold_the_same_bytes(project: Project, tmp_path: Path) -> None:
    one, other = project.copy(tmp_path / "snakemake"), project.copy(tmp_path / "dvc")
    one.run("snakemake", "--cores", "2", "all")
    other.run("dvc", "repro")
    assert checksums(one) == checksums(other)
    assert any(name.endswith("cvae_nf/seed-0/metrics.json") for name in checksums(one))
    assert one.settled() and other.settled()
    assert "Running stage" not in one.run("dvc", "repro")
    report = (one.folder / "results/digits/report.html").read_text()
    assert "cvae_nf" in report and "http-equiv" in report
