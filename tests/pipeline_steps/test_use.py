"""Switching studies without losing an edit."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from click.testing import Result

from pipeline_steps import use
from vaeline.study.reading import load

ROOT = Path(__file__).parents[2]
REAL_RESTORE = use.restore_results


@pytest.fixture(autouse=True)
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A git repository with the studies and a committed params.yaml, without DVC."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "studies").mkdir()
    for name in ("digits", "mnist_cvae_nf"):
        (tmp_path / f"studies/{name}.yaml").write_text((ROOT / f"studies/{name}.yaml").read_text())
    (tmp_path / "params.yaml").write_text((ROOT / "params.yaml").read_text())
    for words in (
        ["init", "-q"],
        ["add", "."],
        ["-c", "user.name=a", "-c", "user.email=a@b.c", "commit", "-qm", "first"],
    ):
        subprocess.run(["git", *words], check=True)
    monkeypatch.setattr(use, "restore_results", lambda: None)


def edit(**training: object) -> None:
    content = yaml.safe_load(Path("params.yaml").read_text())
    content["training"] |= training
    Path("params.yaml").write_text(yaml.safe_dump(content))


def test_a_study_and_its_overlay_replace_params(run: Callable[..., Result]) -> None:
    assert run(use.main, "mnist_cvae_nf", "--quick").exit_code == 0
    assert load().study.name == "mnist_cvae_nf_quick" and load().dataset.name == "mnist"


def test_switching_studies_and_back_changes_nothing(run: Callable[..., Result]) -> None:
    before = Path("params.yaml").read_text()
    for name in ("mnist_cvae_nf", "digits"):
        assert run(use.main, name).exit_code == 0
    assert Path("params.yaml").read_text() == before


def test_an_uncommitted_edit_is_not_overwritten(run: Callable[..., Result]) -> None:
    edit(epochs=8)
    result = run(use.main, "mnist_cvae_nf")
    assert result.exit_code == 1 and "contains edits that are not committed" in result.output
    assert load().training.epochs == 8


def test_a_committed_edit_may_be_overwritten(run: Callable[..., Result]) -> None:
    edit(epochs=8)
    subprocess.run(["git", "-c", "user.name=a", "-c", "user.email=a@b.c", "commit", "-qam", "second"], check=True)
    assert run(use.main, "mnist_cvae_nf").exit_code == 0


def test_another_source_of_the_data_is_not_an_edit(run: Callable[..., Result], tmp_path: Path) -> None:
    source = str(tmp_path)
    assert run(use.main, "mnist_cvae_nf", "--source", source).exit_code == 0
    assert load().dataset.source == source
    assert run(use.main, "digits").exit_code == 0


def test_one_id_for_two_data_sets_is_refused(run: Callable[..., Result]) -> None:
    study = yaml.safe_load(Path("studies/digits.yaml").read_text())
    study["dataset"]["id"] = "mnist"
    Path("studies/other.yaml").write_text(yaml.safe_dump(study))
    result = run(use.main, "other")
    assert result.exit_code == 1 and "both call their data 'mnist' but differ in classifier.epochs" in result.output


def test_a_shared_reference_of_other_settings_is_refused(run: Callable[..., Result]) -> None:
    study = yaml.safe_load(Path("studies/digits.yaml").read_text())
    study["study"]["name"] = "other"
    study.setdefault("evaluation", {})["by_label"] = True
    Path("studies/other.yaml").write_text(yaml.safe_dump(study))
    result = run(use.main, "other")
    assert (
        result.exit_code == 1
        and "both call their data 'digits' but differ in evaluation.by_label False, now True; each" in result.output
    )


def test_a_missing_source_leaves_params_unchanged(run: Callable[..., Result]) -> None:
    before = Path("params.yaml").read_text()
    result = run(use.main, "mnist_cvae_nf", "--source", "/somewhere/mnist")
    assert result.exit_code == 1 and "There is no folder /somewhere/mnist" in result.output
    assert Path("params.yaml").read_text() == before


def test_without_a_name_all_studies_are_listed(run: Callable[..., Result]) -> None:
    result = run(use.main)
    assert result.exit_code == 1 and "there are: digits, mnist_cvae_nf" in result.output


def test_an_unknown_study_is_refused(run: Callable[..., Result]) -> None:
    result = run(use.main, "digts")
    assert result.exit_code == 1 and "did you mean digits? There are: digits, mnist_cvae_nf" in result.output


def test_empty_folders_of_runs_that_dvc_has_made_are_removed() -> None:
    """DVC makes the folder of every file that is to be restored, also if it cannot restore the file."""
    runs = Path("results/digits/runs")
    (runs / "cvae/seed-0").mkdir(parents=True)
    (runs / "cvae_nf/seed-0").mkdir(parents=True)
    (runs / "cvae_nf/seed-0/timing.json").write_text("{}")
    use._remove_empty_folders()
    assert [path.name for path in runs.iterdir()] == ["cvae_nf"] and len(list(runs.rglob("*"))) == 3


def test_unsaved_files_in_the_way_are_moved_aside(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """DVC restores nothing if a file that is not in its cache is in the way, and with --force it deletes the file."""
    model, gone = Path("results/digits/runs/cvae/seed-0/model.safetensors").absolute(), Path("gone").absolute()
    model.parent.mkdir(parents=True)
    model.write_text("trained")
    said = f"WARNING: a\nERROR: Can't remove the following unsaved files without confirmation. Use `--force` to force.\n{model}\n{gone}\n"
    answers = [subprocess.CompletedProcess([], 255, "", said), subprocess.CompletedProcess([], 0, "", "")]
    monkeypatch.setattr(use, "_checkout", lambda: answers.pop(0))
    REAL_RESTORE()
    [kept] = Path("results/unsaved").rglob("model.safetensors")
    assert kept.read_text() == "trained" and not model.exists() and not answers
    assert f"are kept in {Path(*kept.parts[:3])}." in capsys.readouterr().err


def test_a_killed_run_is_recorded_before_another_study(
    run: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[tuple[list[str], str]] = []
    real = subprocess.run

    def record(command: list[str], **options: object) -> subprocess.CompletedProcess[str]:
        if "workflow.records" not in command:
            return real(command, **options)
        ran.append((command[1:], load().study.name))
        return subprocess.CompletedProcess(command, 1, "", "the disk\nis full")

    monkeypatch.setattr(subprocess, "run", record)
    use.RUNNING.parent.mkdir(parents=True)
    use.RUNNING.touch()
    result = run(use.main, "mnist_cvae_nf")
    assert result.exit_code == 0 and ran == [(["-m", "workflow.records", "--record"], "digits")]
    assert "could not be recorded (the disk is full)" in result.output
