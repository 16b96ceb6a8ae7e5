"""What every command owes its user: sentences."""

import fcntl
import json
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import pytest
import yaml
from click.testing import Result

from pipeline_steps.command import RUNNING, UNDER_DVC, command, reads, timed
from vaeline.metrics.frechet_distance import FewImages
from vaeline.runs.timing import read_times
from vaeline.study.schema import Study
from vaeline.system.errors import UserError


@pytest.fixture(autouse=True)
def own_format() -> Iterator[None]:
    before = warnings.formatwarning
    yield
    warnings.formatwarning = before


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (UserError("latent is 0; give 1 or more."), "Error: latent is 0; give 1 or more.\n"),
        (PermissionError(13, "Permission denied", "data"), "Error: [Errno 13] Permission denied: 'data'; mend it"),
    ],
)
def test_a_mistake_ends_with_its_sentence(run: Callable[..., Result], error: Exception, sentence: str) -> None:
    @command
    def step() -> None:
        raise error

    result = run(step)
    assert result.exit_code == 1
    assert result.output.startswith(sentence)


def test_a_fault_of_the_code_keeps_its_traceback(run: Callable[..., Result]) -> None:
    @command
    def step() -> None:
        raise ZeroDivisionError

    assert isinstance(run(step).exception, ZeroDivisionError)


def test_an_edit_of_what_a_step_reads_is_refused_and_any_other_is_not(
    project: Study, run: Callable[..., Result]
) -> None:
    @command
    @reads("training", "variants.plain")
    def step() -> None:
        Path("params.yaml").write_text(yaml.safe_dump(edited))

    edited = project.model_dump(mode="json")
    edited["variants"]["flow"]["latent"] = 5
    assert run(step).exit_code == 0
    edited["variants"]["plain"]["latent"] = 5
    result = run(step)
    assert result.exit_code == 1
    assert "variants.plain of params.yaml changed while this step ran" in result.output


def test_what_a_shared_step_takes_is_noted_beside_its_files(project: Study, run: Callable[..., Result]) -> None:
    @command
    @timed("data/{id}.timing.json", "reference.{features}")
    @reads("training")
    def step() -> None:
        if fails:
            raise UserError("It fails.")

    fails = True
    run(step)
    path = Path("data/blocks.timing.json")
    assert not path.exists()
    path.write_text(json.dumps({"download": {"seconds": 1.0, "host": "a"}}))
    fails = False
    run(step)
    noted = read_times(path)
    assert noted.keys() == {"download", "reference.classifier"}
    assert 0 <= noted["reference.classifier"].seconds < 60
    assert noted["reference.classifier"].peak_bytes > 2**20
    assert step.callback.reads == ("training",)  # type: ignore[union-attr]


@pytest.mark.parametrize("content", ["half {", "[1, 2]"])
def test_a_damaged_note_is_written_anew(project: Study, run: Callable[..., Result], content: str) -> None:
    @command
    @timed("data/{id}.timing.json", "download")
    def step() -> None: ...

    path = Path("data/blocks.timing.json")
    path.write_text(content)
    run(step)
    assert read_times(path).keys() == {"download"}


def test_dvc_keeps_out_of_a_run_of_snakemake_that_is_going_on(
    project: Study, run: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    @command
    @reads("training")
    def step() -> None:
        click.echo("ran")

    monkeypatch.setenv(UNDER_DVC, "step")
    RUNNING.parent.mkdir(parents=True)
    with RUNNING.open("a") as file:
        assert run(step).output == "ran\n"  # a killed run has left the file
        fcntl.flock(file, fcntl.LOCK_EX)
        result = run(step)
        assert result.exit_code == 1 and "A run of Snakemake is going on" in result.output
        monkeypatch.delenv(UNDER_DVC)  # by Snakemake itself, or by hand
        assert run(step).output == "ran\n"


@pytest.mark.parametrize(
    ("category", "shown"),
    [(FewImages, "Warning: too few.\n"), (RuntimeWarning, "code.py:7: RuntimeWarning: too few.\n")],
)
def test_our_warnings_are_sentences_and_those_of_others_say_where(
    run: Callable[..., Result], category: type[Warning], shown: str
) -> None:
    @command
    def step() -> None:
        click.echo(warnings.formatwarning("too few.", category, "code.py", 7, line=""), nl=False)

    assert run(step).output == shown
