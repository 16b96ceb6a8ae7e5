"""The command that opens the explorer: what it refuses before anything is served."""

import socket
from pathlib import Path

import pytest
from click.testing import CliRunner

from pipeline_steps.explore import main
from vaeline.explorer.runs import NEEDED, Runs
from vaeline.study.schema import Study


@pytest.fixture(autouse=True)
def inside(study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def said(*words: object) -> str:
    result = CliRunner().invoke(main, [str(word) for word in words])
    assert result.exit_code == 1
    return " ".join(result.output.split())


def test_a_port_that_is_taken_is_a_sentence() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        assert said("--port", port) == f"Error: Port {port} is in use or not permitted; choose another by --port."


def test_a_study_without_runs_is_a_sentence(runs: Runs) -> None:
    for name in ("../tiny", "none"):
        assert said("--study", name) == f"Error: --study is {name!r}; results has runs of: tiny."
    for place in runs.finished.values():
        (place / NEEDED[0]).unlink()
    assert said().startswith("Error: No run of the study is trained in results/tiny/runs; run it first")
    Path("params.yaml").unlink()
    assert said() == "Error: There is no params.yaml; run from the project's root."
