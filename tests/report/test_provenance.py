"""What a report comes from."""

import subprocess
from pathlib import Path

import pytest

from vaeline.report import provenance
from vaeline.report.costs import Cost
from vaeline.report.findings import Findings


def test_the_environment_names_versions(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)  # outside any repository
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    found = provenance.environment()
    assert {"Python", "torch", "numpy"} <= found.keys()
    assert "commit" not in found


def test_only_edits_of_the_code_are_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    author = ["-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"]
    for file in ("params.yaml", "vaeline/model.py"):
        (tmp_path / file).parent.mkdir(exist_ok=True)
        (tmp_path / file).write_text("1")
    for words in (["init", "-q"], ["add", "."], [*author, "commit", "-qm", "first"]):
        subprocess.run(["git", *words], check=True)
    (tmp_path / "params.yaml").write_text("2")
    commit = provenance.environment()["commit"]
    assert len(commit) == 12
    (tmp_path / "vaeline/model.py").write_text("2")
    assert provenance.environment()["commit"] == f"{commit}, with edits"


@pytest.mark.parametrize(
    ("seconds", "text"), [(5.24, "5.2 s"), (59.99, "60.0 s"), (200, "3 min 20 s"), (3661, "1 h 01 min")]
)
def test_wall_times_are_shown_in_readable_units(seconds: float, text: str) -> None:
    assert provenance.duration(seconds) == text


def test_stages_have_their_jobs_and_costs_in_words(findings: Findings) -> None:
    spent = {"train": Cost(2, 90.0, 2**30), "download": Cost(1, 1.0, None)}
    found = {stage.name: stage for stage in provenance.provenance(findings.results, None, spent).stages}
    assert [*found][::7] == ["download", "report"]
    assert (found["train"].jobs, found["train"].cost) == (2, "1 min 30 s in total, 2 runs; at most 1,024 MB")
    assert (found["download"].jobs, found["download"].cost) == (1, "1.0 s")
    assert found["evaluate"].cost == ""
