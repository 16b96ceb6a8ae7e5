"""What `vaeline run` shows: whole lines, warnings once, progress beside its job, and nothing lost."""

import importlib
import logging
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any, NoReturn

import pytest
from click.testing import CliRunner
from snakemake_interface_logger_plugins.common import LogEvent
from snakemake_interface_logger_plugins.tests import MockOutputSettings

from vaeline.system import progress
from vaeline.system.errors import UserError
from workflow import run, terminal
from workflow.captured import Captured, Lines
from workflow.said import Job, Said

ROOT = Path(__file__).parents[2]
PROGRESS = "a seed 0: train: epoch 3 | 1,200 of 9,000 images, 20 a second, about 7 min left"


def job(variant: str, seed: int) -> Job:
    return Job("train", f"Training {variant}, seed {seed}", f"{variant} seed {seed}: ", 0.0)


def test_progress_belongs_to_its_job() -> None:
    said = Said()
    said.start(1, job("a", 0))
    assert said.sort(PROGRESS) is None and said.jobs[1].words == "train 13 %, about 7 min left epoch 3"
    other = said.sort(PROGRESS.replace("a seed 0", "b seed 1"))
    assert other is not None and other.kind == "progress"


STEP = re.compile(r"python -m pipeline_steps\.(\w+)((?: --\w+ \{wildcards\.\w+\})*)\"")
STEPS = [found for path in sorted((ROOT / "workflow/rules").glob("*.smk")) for found in STEP.findall(path.read_text())]
OF = {"variant": "a", "seed": "1", "trial": "7"}


@pytest.mark.parametrize(("step", "words"), STEPS, ids=[step for step, _ in STEPS])
def test_the_progress_of_every_step_is_shown_at_its_job(step: str, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each step prints progress in place of its work, beside jobs that differ from it in one thing."""
    now = [0.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(progress, "_run", [""])

    def advance() -> NoReturn:
        with progress.Bar("features", total=90) as bar:
            now[0] += 30
            bar.advance(9)
        raise UserError("that is all.")

    monkeypatch.setattr("pipeline_steps.command.load", advance)
    found = {name: OF[name] for name in re.findall(r"wildcards\.(\w+)", words)}
    options = [word for name, value in found.items() for word in (f"--{name}", value)]
    printed = CliRunner().invoke(importlib.import_module(f"pipeline_steps.{step}").main, options).output
    others = [(step, found | {name: f"{value}0"}) for name, value in found.items()]
    said = Said()
    for number, (rule, of) in enumerate([("other", {}), *others, (step, found)]):
        said.start(number, Job(rule, "", progress.name_of(rule, of), 0.0))
    [line] = [line for line in printed.splitlines() if "features" in line]
    assert said.sort(line) is None and said.jobs[len(others) + 1].words == "features 10 %, about 5 min left"


def test_a_warning_of_several_runs_is_told_once() -> None:
    said = Said()
    for seed in range(3):
        said.start(seed, job("a", seed))
    lines = [said.sort(f"Warning: a seed {seed}: few images.") for seed in (0, 0, 1, 2)]
    assert [line and line.text for line in lines] == ["Warning: a seed 0: few images.", None, None, None]
    assert said.repeated() == ["The warning of a seed 0 holds for a seed 1, a seed 2 too: few images."]


def test_progress_is_what_a_bar_prints(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    now = [0.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(progress, "_run", ["a seed 0: "])
    for done in (1, 100):  # a minute, and a second
        with progress.Bar("train", total=9000) as bar:
            now[0] += 30
            bar.advance(done, "epoch 3")
    said = Said()
    said.start(1, job("a", 0))
    assert [said.sort(line) for line in capsys.readouterr().err.splitlines()] == [None, None]


def test_a_warning_of_a_library_is_told_once_with_its_place() -> None:
    said = Said()
    for seed in (0, 1):
        said.start(seed, job("a", seed))
    place = "/x/y.py:12: UserWarning: odd."
    lines = [said.sort(text) for seed in (0, 1) for text in (f"a seed {seed}: {place}", "  warn('odd')", "  told")]
    assert [line and line.kind for line in lines] == ["warning", None, "", None, None, ""]
    assert said.repeated() == [f"The warning of a seed 0 holds for a seed 1 too: {place}"]


def test_other_lines_are_shown() -> None:
    said = Said()
    said.start(1, Job("download", "Downloading", "download: ", 0.0))
    assert said.sort("download: decoding: 5 of 9 images, 0.5 a minute, about 8 min left") is None
    assert said.jobs[1].words == "decoding 55 %, about 8 min left"
    for line, words in (
        ("9 of 9 images, 2 a second", "images.zip 100 %"),
        ("1,200 bytes, 0 a minute", "images.zip 1,200"),
    ):
        assert said.sort(f"download: images.zip: {line}") is None and said.jobs[1].words == words
    lines = [said.sort(text) for text in ("Error: it is 0.", "download: 3 files.", "Warning: of nothing.")]
    assert [(line.text, line.kind) for line in lines if line] == [
        ("Error: it is 0.", "error"), ("download: 3 files.", ""), ("Warning: of nothing.", "warning"),
    ]  # fmt: skip


def test_lines_are_whole(tmp_path: Path) -> None:
    path = tmp_path / "log"
    lines = Lines(path)
    assert list(lines.new()) == []
    path.write_bytes(b"one\ntw")
    assert list(lines.new()) == ["one"]
    with path.open("ab") as file:
        file.write(b"o\rthree\n\nfo\xffur")
    assert list(lines.new()) == ["two", "three"] and lines.last() == "fo\\xffur"


def record(event: LogEvent | None, level: int = logging.INFO, msg: str = "", **more: Any) -> logging.LogRecord:
    made = logging.LogRecord("snakemake", level, "", 1, msg, (), None)
    made.__dict__ |= {"event": event, **more}
    return made


def info(number: int, seed: int) -> logging.LogRecord:
    return record(
        LogEvent.JOB_INFO, jobid=number, rule_name="train", rule_msg=f"Training a, seed {seed}.", shellcmd="python",
        wildcards={"variant": "a", "seed": str(seed)},
    )  # fmt: skip


@contextmanager
def without_terminal(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[terminal.LogHandler]:
    """What is printed in the block has arrived after it."""
    captured = Captured(folder / "log/jobs.log")
    try:
        monkeypatch.setattr(terminal.LogHandler, "captured", captured, raising=False)
        yield terminal.LogHandler(MockOutputSettings(), None)
    finally:
        captured.release()


def test_without_a_terminal_each_job_that_ends_is_a_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    with without_terminal(tmp_path, monkeypatch) as handler:
        handler.emit(record(LogEvent.RUN_INFO, stats={"train": 2, "all": 1, "total": 3}))
        handler.emit(info(1, 0))
        handler.emit(info(2, 1))
        os.write(1, b"Warning: a seed 0: few images.\n" + PROGRESS.encode() + b"\n")
        os.write(2, b"Error: a seed 1 is odd.\n")
        handler.emit(record(LogEvent.JOB_FINISHED, job_id=1))
        for _ in range(2):  # Snakemake tells a failure again at the end
            handler.emit(record(LogEvent.JOB_ERROR, logging.ERROR, jobid=2, rule_name="train", log=["train.log"]))
        handler.emit(record(None, logging.ERROR, "WorkflowError:\nAt least one job did not complete successfully."))
        handler.emit(record(None, logging.INFO, "Building DAG of jobs..."))
        handler.emit(record(None, logging.ERROR, "WorkflowError:\nAnother run is going on."))
        handler.emit(record(None, logging.ERROR, "Some trouble."))
        os.write(1, b"the end")
        handler.close()
        handler.close()
    assert [line.split(" (")[0] for line in capfd.readouterr().err.splitlines()] == [
        "Warning: a seed 0: few images.",
        "Error: a seed 1 is odd.",
        "1 of 2: Training a, seed 0",
        "Failed: Training a, seed 1; what it printed is in train.log.",
        "Error: Another run is going on.",
        "Some trouble.",
        "the end",
        "1 of 2 jobs are done, after 0:00; the next run goes on from there.",
    ]


def test_a_job_that_is_interrupted_has_not_failed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    with without_terminal(tmp_path, monkeypatch) as handler:
        handler.emit(info(1, 0))
        os.write(2, b"Interrupted.\n")
        handler.emit(record(LogEvent.JOB_ERROR, logging.ERROR, jobid=1, rule_name="train", log=["train.log"]))
        handler.close()
    assert capfd.readouterr().err.splitlines() == ["Interrupted."]


def test_times_are_read_at_a_glance() -> None:
    assert [terminal.clock(each) for each in (6.6, 754, 3725)] == ["0:07", "12:34", "1:02:05"]


def test_an_unknown_target_names_the_one_that_was_meant(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    with pytest.raises(SystemExit, match="There is no target 'evalute'; did you mean evaluate"):
        run._refuse_unknown(["evalute"])
    run._refuse_unknown(["evaluate", "results/a.json", "all", "--rerun-triggers", "mtime", "params"])


@pytest.mark.parametrize(
    "words",
    [
        "-np", "-pn", "-n", "--dry-run", "--dryrun", "all -nq", "--cores 2 -n", "--executor dryrun", "--touch", "-t", "--lint", "-l", "--list",
        "--list-rules", "--lt", "--summary", "-S", "-D", "--dag", "--dag mermaid-js", "--rulegraph", "--filegraph", "--d3dag", "--unlock",
        "--report", "--report a.html", "--reporter html", "--archive a.tar", "--delete-all-output", "--delete-temp-output",
        "--list-changes code", "--lc params", "--list-input-changes", "--li", "--lp", "--lu", "--cleanup-metadata a", "--cleanup-shadow",
        "--containerize", "--conda-create-envs-only", "--list-conda-envs", "--print-compilation",
    ],
)  # fmt: skip
def test_options_with_which_nothing_runs_are_known_in_any_spelling(words: str) -> None:
    assert not run._runs_jobs(words.split())


@pytest.mark.parametrize(
    "words", ["", "all", "-p", "-k", "--cores 2", "--until train", "-R train", "--report a.html --report-after-run", "--config n=1"]
)  # fmt: skip
def test_other_options_run_jobs(words: str) -> None:
    assert run._runs_jobs(words.split())


@pytest.mark.parametrize(("words", "runs"), [(["-np"], False), (["all", "-p"], True)])
def test_only_a_run_has_our_logger_and_the_table(words: list[str], runs: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    called: list[str] = []
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(run, "_watched", lambda words, quiet: called.append("watched") or 0)
    monkeypatch.setattr(run, "_run", lambda words: called.append("plain") or 0)
    monkeypatch.setattr(os, "execve", lambda *of: called.append("table"))
    with nullcontext() if runs else pytest.raises(SystemExit):
        run.main(words)
    assert called == (["watched", "table"] if runs else ["plain"])
