"""The console command: its names, its completion, and whose code it runs."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

import vaeline
from pipeline_steps import __main__ as console
from vaeline.system import extras

ROOT = Path(__file__).parents[2]


def said(*words: str, complete: str = "") -> str:
    environment = {"_VAELINE_COMPLETE": complete} if complete else {}
    return CliRunner(env=environment).invoke(console.commands, words, prog_name="vaeline").output


def clone(folder: Path) -> Path:
    """Files by which a clone is known."""
    for name in ("Snakefile", "vaeline/__init__.py", "pipeline_steps/__main__.py"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return folder


def test_every_command_says_what_it_does() -> None:
    sentences = [console._first_sentence(command.module) for command in console.COMMANDS.values()]
    assert all(sentences) and len(set(sentences)) == len(console.COMMANDS)


def test_help_and_completion_import_no_command() -> None:
    code = (
        "import sys; from pipeline_steps.__main__ import commands\n"
        "try: commands(['--help'], prog_name='vaeline')\n"
        "finally: assert 'torch' not in sys.modules and 'pipeline_steps.command' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0 and "Print the answer of the active study" in done.stdout, done.stderr


def test_a_shell_completes_commands_and_studies(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("COMP_CWORD", "1")
    monkeypatch.setenv("COMP_WORDS", "vaeline pl")
    assert said(complete="bash_complete").split() == ["plain,plan"]
    monkeypatch.setenv("COMP_CWORD", "2")
    monkeypatch.setenv("COMP_WORDS", "vaeline use digi")
    assert said(complete="bash_complete").split() == ["plain,digits"]
    monkeypatch.setenv("COMP_WORDS", "vaeline tabel ")
    assert "plain,table" in said(complete="bash_complete")
    assert "_vaeline_completion" in said(complete="zsh_source")


def test_an_unknown_command_names_the_one_that_was_meant() -> None:
    assert "There is no command 'tabel'; did you mean table?" in said("tabel")
    assert "There is no command '-x'; there are: run, table" in said("--", "-x")


def test_the_version_is_that_of_the_project() -> None:
    assert said("--version") == f"vaeline {vaeline.__version__}\n"
    assert f'version = "{vaeline.__version__}"' in (ROOT / "pyproject.toml").read_text()


def test_a_command_of_a_project_says_that_there_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert "`vaeline plan` works in a project, which is a clone" in said("plan")
    assert "Usage: vaeline plan" in said("plan", "--help")


def test_inside_a_clone_the_clones_code_runs_in_its_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[tuple[str, list[str], dict[str, str]]] = []
    monkeypatch.setattr(os, "execve", lambda *words: ran.append(words))
    monkeypatch.setattr(sys, "argv", ["/usr/bin/vaeline", "table", "results/a"])
    monkeypatch.setenv("PYTHONPATH", "/elsewhere")
    (below := clone(tmp_path / "clone") / "results").mkdir()
    monkeypatch.chdir(below)
    console.run_code_of_project()
    (python, words, environment), root = ran.pop(), str(tmp_path / "clone")
    assert [python, *words] == [sys.executable, sys.executable, "-m", "pipeline_steps", "table", "results/a"]
    assert environment["PYTHONPATH"] == f"{root}{os.pathsep}/elsewhere"
    (tmp_path / "clone/.venv").mkdir()
    (tmp_path / "clone/.venv/.ready").touch()
    console.run_code_of_project()
    assert ran.pop()[0] == f"{root}/.venv/bin/python"
    monkeypatch.setenv("PYTHONPATH", environment["PYTHONPATH"])  # it did not help
    with pytest.raises(SystemExit, match="hides the code"):
        console.run_code_of_project()
    monkeypatch.chdir(ROOT)
    console.run_code_of_project()
    assert not ran


def test_a_command_without_its_extra_says_which_to_install() -> None:
    code = (
        "import sys; sys.modules['nicegui'] = None\n"
        "from pipeline_steps.__main__ import commands; commands(['explore', '--help'], prog_name='vaeline')"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (
        "`vaeline explore` needs nicegui, which is not installed; run `pip install 'vaeline[explorer]'`, or `make setup` in"
        in done.stderr
    )
    assert extras.lacking(ModuleNotFoundError(name="numpy"), "vaeline draw") is None
