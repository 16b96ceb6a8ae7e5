"""The explore command checks its options before it serves the page."""

import shutil
import socket
from pathlib import Path

import pytest
from click.testing import CliRunner

from pipeline_steps.explore import main
from vaeline.explorer.runs import NEEDED, Runs, given
from vaeline.study.schema import Study


@pytest.fixture(autouse=True)
def inside(study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def error_of(*arguments: object) -> str:
    """The error message of the command."""
    result = CliRunner().invoke(main, [str(each) for each in arguments])
    assert result.exit_code == 1
    return " ".join(result.output.split())


def test_a_taken_port_is_refused() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        assert error_of("--port", port) == f"Error: Port {port} is in use or not permitted; choose another by --port."


def test_a_study_without_trained_runs_is_refused(runs: Runs) -> None:
    for name in ("../tiny", "none"):
        assert (
            error_of("--study", name)
            == f"Error: --study is {name!r}, but results/ has no runs of such a study; choose one of: tiny."
        )
    assert len(error_of("--study", "x" * 5000)) < 300
    for place in runs.finished.values():
        (place / NEEDED[0]).unlink()
    assert error_of().startswith("Error: results/tiny/runs has no trained run of the study; run the study first")
    Path("params.yaml").unlink()
    assert error_of() == "Error: There is no params.yaml; run from the project's root."


def test_runs_that_lie_anywhere_need_no_project(runs: Runs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (first, place), *_ = runs.finished.items()
    shutil.copytree(place, tmp_path / "away/fetched")
    data = runs.data.absolute()
    monkeypatch.chdir(tmp_path / "away")
    found = given([Path("fetched")], data)
    assert found.finished == {first: Path("fetched")} and found.study == "tiny"
    assert "shows test images, and there is no data/blots.h5; give" in error_of("fetched")
    assert "are both" in error_of("fetched", "fetched", "--data", data)
    assert "nowhere has no model.safetensors; give the folder of a run" in error_of("nowhere")
