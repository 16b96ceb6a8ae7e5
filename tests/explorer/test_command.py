"""The explore command checks its options before it serves the page."""

import shutil
import socket
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from pipeline_steps.explore import main
from tests.made_up import identity
from vaeline.explorer.runs import NEEDED, Runs, given
from vaeline.explorer.views import Explorer
from vaeline.runs import model_files, trained_run
from vaeline.runs.pictures import grid
from vaeline.study.schema import Study
from vaeline.system.errors import UserError


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


def test_runs_that_lie_anywhere_need_no_project(
    study: Study, runs: Runs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (first, place), (second, other), *_ = runs.finished.items()
    shutil.copytree(place, tmp_path / "away/fetched")
    model, facts = model_files.load(other)
    facts = replace(facts, dataset_id="spots", checksums={"train": "another"})
    model_files.save(tmp_path / "away/other", model, facts, identity(study, *second, other))
    data = runs.data.absolute()
    monkeypatch.chdir(tmp_path / "away")
    found = given([Path("fetched")], data)
    assert found.finished == {first: Path("fetched")} and found.study == "tiny" and found.report is None
    assert "are both" in error_of("fetched", "fetched", "--data", data)
    assert "nowhere has no model.safetensors; give the folder of a run" in error_of("nowhere")
    assert error_of("fetched", "other") == (
        "Error: fetched and other were trained on different images (blots and spots); give runs of one data set."
    )
    (Path("fetched") / "model.safetensors").write_bytes(b"")
    assert "fetched/model.safetensors" in error_of("fetched") and "damaged" in error_of("fetched")


def test_without_a_store_a_run_draws_and_says_what_is_off(runs: Runs, tmp_path: Path) -> None:
    place = runs.finished["small", 0]
    explorer = Explorer(given([place], tmp_path / "nowhere"))
    opening = explorer.opening()
    assert opening.labels == {"shape": "round", "dark": "no"}
    [view] = explorer.render(opening)
    assert [each.caption for each in view.pictures] == ["shape round, not dark"] * 9
    drawn = trained_run.load(place).sample(9, {"shape": "round", "dark": "no"})
    assert [each.png for each in view.pictures] == [grid(image[None]) for image in drawn]
    assert view.movable == [] and view.fixed == "there are no test images"
    reason = r"nowhere/blots.h5 \(--data names the folder of that file\)"
    for chosen in ({"show": "edit"}, {"show": "interpolation"}, {"directions": {"dark": {"yes": 1.0}}}):
        with pytest.raises(UserError, match=reason):
            explorer.render(opening.model_copy(update=chosen))
    explorer.facts.training_counts[:] = [[13, 14, 13], [15, 25]]
    assert explorer.opening().labels == {"shape": "square", "dark": "yes"}  # the most frequent ones


@pytest.mark.parametrize("port", [-1, 65536])
def test_a_port_out_of_range_is_refused(port: int) -> None:
    result = CliRunner().invoke(main, ["--port", str(port)])
    assert result.exit_code == 2 and f"{port} is not in the range 0<=x<=65535" in result.output
