"""A scratch project: the real Snakefile, rules, dvc.yaml, bridge and parts, with stubs for the steps."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import chdir
from pathlib import Path
from typing import Any
from unittest.mock import patch

import yaml
from dvc.repo import Repo

from tests.workflow.launched import Launched
from tests.workflow.launcher import Launcher

LIMIT = 600  # seconds, after which a command hangs
SNAKEMAKE, DVC = ("snakemake", "--cores", "1"), ("dvc", "repro")
SHARED = ["download", "preprocess", "classifier", "reference"]


class Project:
    """A git repository with the pipeline in it, and the two engines to run it with.

    Args:
        folder: of the repository.
        launcher: runs the engines; without one, each is a process of its own, as it is for a user.
    """

    def __init__(self, folder: Path, launcher: Launcher | None = None) -> None:
        self.folder, self.launcher = folder, launcher
        self.environment = os.environ | {
            "DVC_NO_ANALYTICS": "1", "DVC_SITE_CACHE_DIR": str(folder / ".dvc/tmp/site"), "XDG_CACHE_HOME": str(folder / ".cache"),
            "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull, "GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@b", "GIT_COMMITTER_NAME": "a",
            "GIT_COMMITTER_EMAIL": "a@b", "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        }  # fmt: skip

    def run(self, *command: str, fails: bool = False, **environment: str) -> str:
        """Run a command in the project; its standard output and error."""
        with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as output:
            if self.launcher and command[0] in ("snakemake", "dvc", sys.executable):
                status = self.launcher.run(command, self.folder, self.environment | environment, output.fileno(), LIMIT)
            else:
                status = subprocess.run(
                    command,
                    check=False,
                    cwd=self.folder,
                    env=self.environment | environment,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    timeout=LIMIT,
                ).returncode
            output.seek(0)
            said = output.read()
        assert (status != 0) == fails, said
        return said

    def start(
        self, *options: str, held_step: int, command: tuple[str, ...] = SNAKEMAKE, **environment: str
    ) -> Launched:
        """Start a run of an engine, and wait until a step is held; `release` ends that.

        Args:
            options: of the command.
            held_step: how many steps begin; the last of them is held.
            command: that starts the engine.
            environment: its variables.
        """
        hold = self.folder / "hold"
        hold.touch()
        directed = self.environment | {"HELD_BY": str(hold), "HELD_STEP": str(held_step)} | environment
        assert self.launcher
        run = Launched(self.launcher, [*command, *options], self.folder, directed, LIMIT)
        while len(self.log()) < held_step:
            assert not run.ended(0.01), f"it ended after {self.log()}: {run.said()}"
        return run

    def release(self) -> None:
        """Let the held step go on."""
        (self.folder / "hold").unlink()

    def snakemake(self, *options: str, **keywords: Any) -> list[str]:
        """Run everything with Snakemake; returns the steps that ran."""
        self.run("snakemake", "--cores", "2", *(options or ["all"]), **keywords)
        return self.ran()

    def repro(self, *options: str, **keywords: Any) -> list[str]:
        """Run everything with DVC; returns the steps that ran."""
        self.run("dvc", "repro", *options, **keywords)
        return self.ran()

    def ran(self) -> list[str]:
        """The steps that ran since the last call, sorted."""
        return sorted(self.ran_in_order())

    def ran_in_order(self) -> list[str]:
        """The steps that began since the last call."""
        lines = self.log()
        (self.folder / "ran.log").unlink(missing_ok=True)
        return lines

    def log(self) -> list[str]:
        """The lines of the log of steps."""
        log = self.folder / "ran.log"
        return log.read_text().splitlines() if log.exists() else []

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
        """What `dvc status` says of one stage, or of all."""
        with patch.dict(os.environ, self.environment), chdir(self.folder), Repo() as repo:
            return repo.status(stage)

    def commit(self) -> None:
        """Commit all that git does not ignore."""
        self.run("git", "add", "--all")
        self.run("git", "commit", "--quiet", "--message", "A change")

    def copy(self, folder: Path) -> "Project":
        """A copy of all files, with their times of change."""
        shutil.copytree(self.folder, folder)
        return Project(folder, self.launcher)

    def clone(self, folder: Path) -> "Project":
        """A clone that has this project's DVC cache as its remote."""
        self.run("git", "clone", "--quiet", ".", str(folder))
        there = Project(folder, self.launcher)
        there.run("dvc", "remote", "add", "--local", "--default", "origin", str(self.folder / ".dvc/cache"))
        return there


def choices_of(*variants: str) -> list[str]:
    """The steps of variants' tuning without trials."""
    return [f"{step} {variant}" for step in ("choose", "design") for variant in variants]


def stages_of(variant: str, seed: int = 0) -> list[str]:
    return [f"{step} {variant} {seed}" for step in ("evaluate", "sample", "train")]
