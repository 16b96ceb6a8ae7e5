"""Errors in sentences, edits of params.yaml while a step runs, notes of time."""

import fcntl
import importlib
import json
import os
import signal
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import click
import pytest
import yaml
from click.testing import CliRunner, Result

from pipeline_steps import draw, evaluate, explore, sample, train
from pipeline_steps.command import command, data_timing, reads, run_command, study_command, timed
from pipeline_steps.plan_check import UNDER_DVC
from pipeline_steps.run import main as run_step
from pipeline_steps.running import RUNNING
from vaeline.metrics.frechet_distance import FewImages
from vaeline.runs.timing import read_times
from vaeline.study import parts, reading
from vaeline.study.reading import PARAMS
from vaeline.study.schema import Study
from vaeline.system.errors import UserError

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def own_format() -> Iterator[None]:
    before = warnings.formatwarning
    yield
    warnings.formatwarning = before


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (UserError("latent is 0; give 1 or more."), "Error: latent is 0; give 1 or more.\n"),
        (
            PermissionError(13, "Permission denied", "data"),
            "Error: data cannot be read or written (Permission denied); check the permissions of it and of the folders above it, ",
        ),
        (
            IsADirectoryError(21, "Is a directory", "data/a.h5"),
            "Error: data/a.h5 is a folder, where a file belongs; move the folder away, and run again.",
        ),
        (OSError(36, "File name too long", "x" * 50_000), "Error: [Errno 36] File name too long: 'xxx"),
    ],
)
def test_a_user_error_is_printed_as_a_sentence(run: Callable[..., Result], error: Exception, sentence: str) -> None:
    @command
    def step() -> None:
        raise error

    result = run(step)
    assert result.exit_code == 1
    assert result.output.startswith(sentence) and len(result.output) < 5000


def test_a_bug_is_a_sentence_and_its_traceback_a_file(
    run: Callable[..., Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    @command
    def step() -> None:
        raise ZeroDivisionError("division by zero\nin a loop")

    monkeypatch.chdir(tmp_path)
    result = run(step)
    [kept] = Path(".tracebacks").iterdir()
    assert result.exit_code == 1 and result.output == (
        "Error: test_command failed unexpectedly (ZeroDivisionError: division by zero in a loop); please report it; "
        f"the traceback is in {kept}.\n"
    )
    assert "in step" in kept.read_text() and kept.read_text().startswith("Traceback")
    monkeypatch.setenv("VAELINE_TRACEBACK", "1")
    assert isinstance(run(step).exception, ZeroDivisionError)


def test_a_bug_of_an_own_part_is_placed_there(
    run: Callable[..., Result],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    write_own: Callable[[str, str, str], Path],
) -> None:
    mine = write_own("priors", "mine", "import math\n\n\ndef log_prob():\n    return math.sqrt(-1)\n")

    @command
    def step() -> None:
        importlib.import_module(f"{parts.OWN}.priors.mine").log_prob()

    monkeypatch.chdir(tmp_path)
    said = run(step).output
    assert said.startswith(
        f"Error: {mine.relative_to(tmp_path)}, line 5, failed (ValueError: math domain error); correct it, and run again"
    )


@pytest.mark.parametrize("status", ["0", "1", ""])
def test_a_part_that_exits_does_not_end_a_step_as_if_it_had_finished(
    run: Callable[..., Result],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    write_own: Callable[[str, str, str], Path],
    status: str,
) -> None:
    mine = write_own("priors", "mine", f"import sys\n\n\ndef log_prob():\n    sys.exit({status})\n")

    @command
    def step() -> None:
        importlib.import_module(f"{parts.OWN}.priors.mine").log_prob()

    monkeypatch.chdir(tmp_path)
    result = run(step)
    assert result.exit_code == 1 and f"{mine.relative_to(tmp_path)}, line 5, failed (SystemExit" in result.output


@pytest.mark.parametrize("cores", ["0", "x", "-1", "1.5"])
def test_cores_that_would_run_nothing_are_refused(run: Callable[..., Result], cores: str) -> None:
    result = run(run_step, "--cores", cores)
    assert (
        result.exit_code == 1 and f"--cores is '{cores}'; give a whole number of 1 or more, or `all`." in result.output
    )


def test_a_traceback_that_cannot_be_kept_is_printed(
    run: Callable[..., Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    @command
    def step() -> None:
        raise MemoryError

    monkeypatch.chdir(tmp_path)
    Path(".tracebacks").touch()  # in place of the folder
    result = run(step)
    assert result.exit_code == 1 and "Traceback" in result.output
    assert result.output.endswith("unexpectedly (MemoryError); free memory and run again; the traceback is above.\n")


def test_an_interrupt_ends_a_step_with_130_and_no_traceback(run: Callable[..., Result]) -> None:
    @command
    def step() -> None:
        raise KeyboardInterrupt

    before = signal.getsignal(signal.SIGINT)
    try:
        result = run(step)
    finally:
        signal.signal(signal.SIGINT, before)
    assert result.exit_code == 130 and result.output == "Interrupted.\n"


@pytest.mark.parametrize("step", ["train", "download", "report", "explore", "use", "draw"])
def test_an_interrupt_during_the_imports_ends_with_130_and_no_traceback(step: str, tmp_path: Path) -> None:
    (tmp_path / "click.py").write_text("import os, signal\nos.kill(os.getpid(), signal.SIGINT)\nos.getpid()\n")
    ended = subprocess.run(
        [sys.executable, "-m", f"pipeline_steps.{step}"],
        cwd=ROOT, env=os.environ | {"PYTHONPATH": str(tmp_path)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (ended.returncode, ended.stderr) == (130, "Interrupted.\n")


def test_a_step_whose_reader_has_gone_does_not_end_as_if_it_had_finished() -> None:
    code = (
        "from pipeline_steps.command import command\n"
        "@command\n"
        "def step():\n"
        "    for _ in range(100_000): print('a line')\n"
        "step()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as ended:
        assert ended.stdout and ended.stderr
        ended.stdout.readline()
        ended.stdout.close()
        said = ended.stderr.read()
    assert (ended.returncode, said) == (141, b"")


def test_the_steps_leave_the_handler_of_another_program_alone() -> None:
    code = "import signal, pipeline_steps; assert signal.getsignal(signal.SIGINT) is signal.default_int_handler"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


def test_an_edit_of_a_value_that_a_step_reads_is_refused(project: Study, run: Callable[..., Result]) -> None:
    @study_command
    @reads("tested", code="classifier")
    def step(study: Study) -> None:
        Path("params.yaml").write_text(yaml.safe_dump(edited))

    edited = project.model_dump(mode="json")
    edited["variants"]["flow"]["latent"] = 5
    assert run(step).exit_code == 0
    edited["variants"]["plain"]["latent"] = 5
    result = run(step)
    assert result.exit_code == 1
    assert "variants.plain of params.yaml changed while this step ran" in result.output


def test_a_variant_that_is_removed_while_its_step_runs_is_refused(project: Study, run: Callable[..., Result]) -> None:
    @study_command
    @reads("tested", code="classifier")
    def step(study: Study) -> None:
        edited = study.model_dump(mode="json")
        edited["study"]["variants"] = ["flow"]
        del edited["variants"]["plain"]
        Path("params.yaml").write_text(yaml.safe_dump(edited))

    result = run(step)
    assert result.exit_code == 1 and "variants.plain of params.yaml changed" in result.output


def test_the_parameters_are_parsed_once_unless_their_bytes_change(
    project: Study, run: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    @study_command
    @timed(data_timing, "download")
    @reads("tested", code="classifier")
    def step(study: Study) -> None:
        PARAMS.write_text(PARAMS.read_text() + added)

    check, parsed = reading.check, []
    monkeypatch.setattr(reading, "check", lambda *arguments: (parsed.append(1), check(*arguments))[1])
    added = "# of another text, so that no test before has parsed it\n"
    PARAMS.write_text(PARAMS.read_text() + added)
    added = ""
    assert run(step).exit_code == 0 and len(parsed) == 1
    added = "# a comment changes no value\n"
    assert run(step).exit_code == 0 and len(parsed) == 2


def test_the_time_of_a_shared_step_is_noted_beside_its_files(project: Study, run: Callable[..., Result]) -> None:
    @study_command
    @timed(data_timing, "reference")
    @reads("tested", code="classifier")
    def step(study: Study) -> None:
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
    assert step.callback.reads == ("training", "variants.plain")  # type: ignore[union-attr]


@pytest.mark.parametrize("content", ["half {", "[1, 2]"])
def test_a_damaged_note_is_replaced(project: Study, run: Callable[..., Result], content: str) -> None:
    @study_command
    @timed(data_timing, "download")
    def step(study: Study) -> None: ...

    path = Path("data/blocks.timing.json")
    path.write_text(content)
    run(step)
    assert read_times(path).keys() == {"download"}


def test_dvc_is_refused_while_snakemake_runs(
    project: Study, run: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    @command
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
def test_own_warnings_are_sentences_and_others_keep_their_place(
    run: Callable[..., Result], category: type[Warning], shown: str
) -> None:
    @command
    def step() -> None:
        click.echo(warnings.formatwarning("too few.", category, "code.py", 7, line=""), nl=False)

    assert run(step).output == shown


def test_letters_that_the_terminal_lacks_are_escaped() -> None:
    @command
    def step() -> None:
        click.echo("nll ↓ of größe")

    found = CliRunner(charset="latin-1").invoke(step)
    assert found.exit_code == 0 and found.stdout_bytes == "nll \\u2193 of größe\n".encode("latin-1")


def test_a_warning_of_a_run_names_the_run(project: Study, run: Callable[..., Result]) -> None:
    @run_command
    def step(study: Study, variant: str, seed: int) -> None:
        click.echo(warnings.formatwarning("nll is an upper bound.", FewImages, "code.py", 7, line=""), nl=False)

    found = run(step, "--variant", "flow", "--seed", 1)
    assert found.output == "Warning: flow seed 1: nll is an upper bound.\n"


@pytest.mark.parametrize("step", [train, sample, evaluate])
@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (
            ("flow", "2"),
            "--seed is 2; study.seeds in params.yaml contains: 0, 1. Take one of them, or add 2 to study.seeds.",
        ),
        (("other", "0"), "--variant is 'other'; study.variants in params.yaml contains: plain, flow."),
        (("flow", "0_1"), "'0_1' is not a whole number in plain digits."),
        (("flow", " 1"), "' 1' is not a whole number in plain digits."),
        (("flow", "\u0661"), "'\u0661' is not a whole number in plain digits."),
        (("flow", "1.0"), "'1.0' is not a whole number in plain digits."),
        (("flow", "-1"), "-1 is not in the range 0<=x<="),
        (("flow", "1" * 5000), "is not a valid integer range"),
    ],
)
def test_a_run_that_the_study_does_not_name_is_refused(
    project: Study, run: Callable[..., Result], step: ModuleType, words: tuple[str, str], sentence: str
) -> None:
    content = yaml.safe_load(Path("params.yaml").read_text())
    content["variants"]["other"] = content["variants"]["plain"]
    Path("params.yaml").write_text(yaml.safe_dump(content))
    result = run(step.main, "--variant", words[0], "--seed", words[1])
    assert (
        result.exit_code and sentence in " ".join(result.output.split()) and not list(Path("results").rglob("seed-*"))
    )


def test_numbers_of_other_commands_are_plain_digits_too(run: Callable[..., Result]) -> None:
    for main, option in ((draw.main, "--count"), (draw.main, "--seed"), (explore.main, "--port")):
        result = run(main, *(["run"] if main is draw.main else []), option, "1_6")
        assert result.exit_code == 2 and "'1_6' is not a whole number in plain digits." in result.output
