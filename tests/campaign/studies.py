"""Tiny studies with real steps: three in one project for the readers of files, and one under both engines."""

import importlib
import io
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import chdir, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from PIL import Image

from tests.campaign import isolated
from tests.campaign.outcome import Outcome
from tests.workflow.conftest import COPIED, ROOT
from tests.workflow.launcher import Launcher
from tests.workflow.scratch import Project
from vaeline.study import ready_studies

IMAGES = 40
SOURCE = "images"  # the folder of a project's own images


@dataclass(frozen=True)
class Run:
    """A run of one of the studies in a world."""

    study: str
    variant: str
    seed: int

    @property
    def folder(self) -> Path:
        """Its folder, relative to the project."""
        return Path("results", self.study, "runs", self.variant, f"seed-{self.seed}")


@dataclass(frozen=True)
class World:
    """A finished project with several studies; it is never changed, only clones of it are.

    Args:
        folder: of the project.
        params: the text of params.yaml for each study.
        runs: all runs.
    """

    folder: Path
    params: Mapping[str, str]
    runs: tuple[Run, ...]

    def data(self, study: str) -> str:
        """The id of a study's data set."""
        return yaml.safe_load(self.params[study])["dataset"]["id"]

    @contextmanager
    def clone(self) -> Iterator[Path]:
        """A copy of the project, made of hard links: every file must be replaced, not written into."""
        with tempfile.TemporaryDirectory(dir=self.folder.parent) as name:
            there = Path(name, "project")
            shutil.copytree(self.folder, there, copy_function=os.link)
            yield there


# Name, data set, learning rate, variants and seeds. The first two share their data; the third has another split of them.
STUDIES = (
    ("one", "digits", 0.006, ["plain", "flow"], [0, 1]),
    ("two", "digits", 0.02, ["plain"], [0]),
    ("three", "other", 0.006, ["plain"], [0]),
)


def make_world(folder: Path, studies: Sequence[tuple[str, str, float, list[str], list[int]]] = STUDIES) -> World:
    """Run some studies to their end, in one project."""
    folder.mkdir(parents=True)
    git(folder, "init", "--quiet")
    (folder / ".gitignore").write_text("*\n")
    git(folder, "commit", "--quiet", "--allow-empty", "--message", "Nothing")
    params, runs = {}, []
    for study, data, rate, variants, seeds in studies:
        content = tiny_study(study, data, variants, seeds)
        content["training"]["learning_rate"] = rate
        params[study] = yaml.safe_dump(content, sort_keys=False)
        runs += [Run(study, variant, seed) for variant in variants for seed in seeds]
    world = World(folder, params, tuple(runs))
    for study in params:
        in_fork(lambda study=study: _run_study(world, study))
    return world


OF_VARIANT = ("design", "choose")  # the steps that are the same for all seeds of a variant


def in_fork(function: Callable[[], Any]) -> Any:
    """The value of a function that has to succeed, run in a fork."""
    reply = isolated.call(function)
    assert reply.outcome is Outcome.RIGHT, reply
    return reply.value


def tiny_study(name: str, data: str, variants: list[str], seeds: list[int]) -> dict[str, Any]:
    """The content of a study of digits that takes a second for each run; there are the variants `plain` and `flow`."""
    content = ready_studies.resolve("digits").model_dump(mode="json")
    content["study"].update(name=name, variants=variants, seeds=seeds)
    plain, flow = content["variants"]["gaussian_cvae"], content["variants"]["cvae_nf"]
    for variant in (plain, flow):
        variant["network"]["widths"] = [8]
        variant["latent"] = variant["condition"]["embedding"] = 2
    content["variants"] = {name: {"plain": plain, "flow": flow}[name] for name in variants}
    content["dataset"].update(id=data, limit=60)
    content["dataset"]["split"].update(seed=len(data), validation=0.2, test=0.3)
    content["training"].update(epochs=2, validate_every=1, batch_size=16)
    content["classifier"].update(epochs=1, width=4, features=2)
    content["evaluation"]["likelihood"].update(samples=10, budget=100)
    content["evaluation"].update(bound_samples=1)
    content["sampling"].update(grid=4)
    return content


def _run_study(world: World, study: str) -> None:
    """Run all steps of a study, in the current process."""
    with chdir(world.folder):
        Path("params.yaml").write_text(world.params[study])
        for name in ("code", "download", "preprocess", "classifier", "reference"):
            step(name)
        for run in world.runs:
            if run.study == study:
                for name in (*OF_VARIANT, "train", "sample", "evaluate"):
                    step(name, run)
        step("report")


def step(name: str, run: Run | None = None) -> None:
    """Run a step of the pipeline in this process, as `python -m pipeline_steps.<name>` does."""
    words = ["--variant", run.variant] if run else []
    if run and name not in OF_VARIANT:
        words += ["--seed", str(run.seed)]
    try:
        importlib.import_module(f"pipeline_steps.{name}").main.main(words, prog_name=name)
    except SystemExit as exit:
        if exit.code:
            raise


def git(folder: Path, *words: str) -> None:
    """Run git as nobody in particular, whatever the machine's settings are."""
    identity = [f"GIT_{who}_{what}" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")]
    environment = (
        os.environ | dict.fromkeys(identity, "a") | {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    )
    subprocess.run(["git", *words], cwd=folder, env=environment, check=True, capture_output=True)


def make_project(folder: Path, launcher: Launcher) -> Project:
    """A committed copy of this project, which has run nothing, with a study of images of its own in a folder."""
    project = Project(folder, launcher)
    for name in COPIED:
        source, target = ROOT / name, folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, target)
    shutil.copytree(ROOT / ".dvc", folder / ".dvc", ignore=shutil.ignore_patterns("tmp", "cache", "config.local"))
    write_images(folder / SOURCE)
    content = tiny_study("tiny", "mine", ["plain"], [0, 1])
    content["dataset"].update(name="image_folder", source=SOURCE, limit=None)
    (folder / "params.yaml").write_text(yaml.safe_dump(content, sort_keys=False))
    with (folder / ".gitignore").open("a") as file:
        file.write(f"/{SOURCE}/\n.cache/\n")
    project.run("git", "init", "--quiet")
    project.commit()
    return project


def write_images(folder: Path) -> None:
    """Write digits of scikit-learn as images, with a table of two labels."""
    from sklearn.datasets import load_digits

    digits, folder = load_digits(), Path(folder)
    folder.mkdir()
    rows = ["file,parity,large"]
    for index in range(IMAGES):
        name, digit = f"{index:03}.png", int(digits.target[index])
        (folder / name).write_bytes(png(np.uint8(15 * digits.images[index])))
        rows.append(f"{name},{'odd' if digit % 2 else 'even'},{int(digit > 4)}")
    (folder / "labels.csv").write_text("\n".join(rows) + "\n")


def png(pixels: np.ndarray) -> bytes:
    """Pixels as a PNG file."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()
