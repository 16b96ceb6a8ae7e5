"""A scratch project: the real Snakefile, rules, dvc.yaml, bridge and parts, with stubs in place of the steps."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import chdir
from pathlib import Path
from typing import Any
from unittest.mock import patch

import yaml
from dvc.repo import Repo

SHARED = ["download", "preprocess", "classifier", "reference"]


class Project:
    """A git repository with the pipeline in it, and the two engines to run it with."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = os.environ | {
            "DVC_NO_ANALYTICS": "1", "DVC_SITE_CACHE_DIR": str(folder / ".dvc/tmp/site"), "XDG_CACHE_HOME": str(folder / ".cache"),
            "GIT_CONFIG_GLOBAL": os.devnull, "GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@b", "GIT_COMMITTER_NAME": "a",
            "GIT_COMMITTER_EMAIL": "a@b", "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        }  # fmt: skip

    def run(self, *command: str, fails: bool = False, **environment: str) -> str:
        """Run a command in the project; its standard output and error."""
        done = subprocess.run(
            command,
            check=False,
            cwd=self.folder,
            env=self.environment | environment,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=300,
        )
        assert (done.returncode != 0) == fails, done.stdout
        return done.stdout

    def start(self, *command: str, **environment: str) -> "subprocess.Popen[str]":
        """Start a command in a process group of its own."""
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        return subprocess.Popen(
            command,
            cwd=self.folder,
            env=self.environment | environment,
            text=True,
            start_new_session=True,
            **quiet,
        )  # type: ignore[call-overload, no-any-return]

    def snakemake(self, *options: str, **keywords: Any) -> list[str]:
        """Run all with Snakemake; the steps that ran."""
        self.run("snakemake", "--cores", "2", *(options or ["all"]), **keywords)
        return self.ran()

    def repro(self, *options: str, **keywords: Any) -> list[str]:
        """Run all with DVC; the steps that ran."""
        self.run("dvc", "repro", *options, **keywords)
        return self.ran()

    def ran(self) -> list[str]:
        """The steps that ran since this was last asked, sorted."""
        lines = self.log()
        (self.folder / "ran.log").unlink(missing_ok=True)
        return sorted(lines)

    def log(self) -> list[str]:
        """The steps that have begun since then, in their order."""
        log = self.folder / "ran.log"
        return log.read_text().splitlines() if log.exists() else []

    def wait_for(self, lines: int, run: "subprocess.Popen[str]") -> None:
        """Wait until a run has begun so many steps."""
        while len(self.log()) < lines:
            assert run.poll() is None, f"it ended after {self.log()}"
            time.sleep(0.02)

    def edit(self, change: Callable[[dict[str, Any]], None]) -> None:
        """Change params.yaml."""
        path = self.folder / "params.yaml"
        params = yaml.safe_load(path.read_text())
        change(params)
        path.write_text(yaml.safe_dump(params, sort_keys=False))

    def settled(self) -> bool:
        """Whether both engines find nothing to do."""
        return "Nothing to be done" in self.run("snakemake", "-n", "all") and not self.status()

    def status(self, stage: str | None = None) -> Any:
        """What `dvc status` says of a stage, or of all; a stage's name is looked up in the folder one is in."""
        with patch.dict(os.environ, self.environment), chdir(self.folder), Repo() as repo:
            return repo.status(stage)

    def commit(self) -> None:
        """Commit all that git does not ignore."""
        self.run("git", "add", "--all")
        self.run("git", "commit", "--quiet", "--message", "A change")

    def copy(self, folder: Path) -> "Project":
        """A copy of all files, with their times."""
        shutil.copytree(self.folder, folder)
        return Project(folder)

    def clone(self, folder: Path) -> "Project":
        """A clone, with this project's DVC cache for a remote."""
        self.run("git", "clone", "--quiet", ".", str(folder))
        there = Project(folder)
        there.run("dvc", "remote", "add", "--local", "--default", "origin", str(self.folder / ".dvc/cache"))
        return there


def kill_group(process: "subprocess.Popen[str]", number: signal.Signals) -> None:
    os.killpg(process.pid, number)
    process.wait()


def stages_of(variant: str, seed: int = 0) -> list[str]:
    return [f"{step} {variant} {seed}" for step in ("evaluate", "sample", "train")]
