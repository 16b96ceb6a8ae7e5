"""The table command: the answer first, primary metrics first, colours for people, and runs that lie anywhere."""

import csv
import re
import shutil
from collections.abc import Callable
from io import StringIO
from pathlib import Path

import pytest
from click.testing import Result

from pipeline_steps import colours, table
from tests.made_up import study as of_variants
from tests.made_up import write_run, write_runs
from vaeline.report import compare, comparison, results

ESCAPE = re.compile("\x1b\\[[0-9;]*m")


def test_results_and_runs_are_printed_without_a_project(run: Callable[..., Result], tmp_path: Path) -> None:
    """A study of one seed, whose primary metric is not the first of the table, and a run that was fetched."""
    folder = tmp_path / "results/tiny"
    for variant, value in (("one", 3.0), ("two", 4.0)):
        write_run(folder / f"runs/{variant}/seed-0", {"nll": value, "fd_sample": value})
    found = compare.compare(results.read(folder / "runs", of_variants(("one", "two"), (0,), primary=["fd_sample"])))
    comparison.write(folder / "comparison.json", found)
    said = run(table.main, folder).output
    names = [line.split()[0] for line in said.splitlines() if re.match("(One|fd_sample|nll) ", line)]
    assert names == ["One", "fd_sample", "nll"] and not ESCAPE.search(said)
    (folder / "report.html").touch()
    short = run(table.main, folder, "--brief").output
    assert table.table.BRIEF_LEGEND in short and short.endswith("report.html; all metrics: `make table`\n")
    assert "leave out --format" in run(table.main, folder, "--brief", "--format", "csv").output
    shutil.copytree(folder / "runs/one/seed-0", tmp_path / "fetched")
    lines = run(table.main, tmp_path / "fetched").output.splitlines()
    assert lines == ["one seed 0 of the study tiny", "", "nll ↓        3  nats", "fd_sample ↓  3"]
    rows = csv.DictReader(StringIO(run(table.main, tmp_path / "fetched", "--format", "csv").output))
    assert [(row["metric"], row["value"], row["unit"]) for row in rows] == [
        ("nll", "3.0", "nats"),
        ("fd_sample", "3.0", ""),
    ]
    for options in (("--format", "latex"), ("--comparisons",)):
        refused = run(table.main, tmp_path / "fetched", *options)
        assert refused.exit_code == 1 and "is one run, which compares nothing; give" in refused.output
    (tmp_path / "fetched/evaluation.json").unlink()
    assert "There is no" in run(table.main, tmp_path / "fetched").output


@pytest.mark.parametrize(
    ("options", "begin"),
    [
        ("--format csv", "variant,metric,measure,mean"), ("--format latex", "% needs"),
        ("--comparisons", "nll ↓  one - two  -1.000"), ("--comparisons --format csv", "metric,first,second,difference"),
        ("--comparisons --format latex", "% needs"),
    ],
)  # fmt: skip
def test_a_study_is_printed_for_other_programs(
    run: Callable[..., Result], tmp_path: Path, options: str, begin: str
) -> None:
    """Nothing is printed beside what was asked for."""
    write_runs(tmp_path / "runs", {"one": [3.0, 4.0], "two": [4.0, 5.001]})
    found = compare.compare(results.read(tmp_path / "runs", of_variants(("one", "two"), (0, 1), primary=["nll"])))
    comparison.write(tmp_path / "comparison.json", found)
    (tmp_path / "metrics.json").write_text("{}")  # a study has a file of this name too
    said = run(table.main, tmp_path, *options.split())
    assert said.exit_code == 0 and said.output.startswith(begin) and "two" in said.output, said.output
    assert run(table.main, tmp_path, "--format", "docx").exit_code == 2


def test_another_folder_is_refused(run: Callable[..., Result], tmp_path: Path) -> None:
    result = run(table.main, tmp_path)
    assert result.exit_code == 1 and "has neither a comparison.json nor the files of a run; give" in result.output


def test_colours_mark_what_the_marks_say_and_change_no_letter() -> None:
    text = "        one        two\nnll ↓   2.0 ± 2.5 *  <= 3.0 [1]  \nrate    1.0 ± 0.1 [1] ~  -\n\nlegend\n* best"
    painted = colours.paint(text, ["nll"])
    assert ESCAPE.sub("", painted) == text
    rows = painted.splitlines()
    assert rows[1].startswith("\x1b[1mnll") and "\x1b[32m\x1b[1m2.0 ± 2.5 *\x1b[0m" in rows[1]
    assert rows[2].startswith("rate") and "\x1b[32m1.0 ± 0.1 [1] ~" in rows[2]
    assert all(row.startswith("\x1b[2m") for row in rows[4:])


@pytest.mark.parametrize(("name", "value"), [("NO_COLOR", "1"), ("TERM", "dumb")])
def test_a_user_may_refuse_colours(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    assert colours.wanted()
    monkeypatch.setenv(name, value)
    assert not colours.wanted()
