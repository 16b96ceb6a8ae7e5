"""What DVC has recorded for settings or a source that it was not made with: it is refused, and Snakemake makes the right files.

DVC looks at its inputs after a step has ended. An edit that is undone between the two is recorded as if it had never been;
`dvc commit --force` has the same effect, and needs no luck.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from tests.campaign.engines import end_state
from tests.campaign.kind import Grounds
from tests.campaign.outcome import Outcome
from tests.campaign.studies import SOURCE, png
from tests.workflow.scratch import Project

RUN = ("--variant", "plain", "--seed", "0")
Edit = Callable[[Project], None]


@pytest.fixture(scope="module")
def grounds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Grounds]:
    grounds = Grounds(tmp_path_factory.mktemp("forced"))
    yield grounds
    grounds.close()


def setting(section: str, name: str, value: object) -> Edit:
    def edit(project: Project) -> None:
        path = project.folder / "params.yaml"
        content: dict[str, Any] = yaml.safe_load(path.read_text())
        content[section][name] = value
        path.write_text(yaml.safe_dump(content, sort_keys=False))

    return edit


def another_image(project: Project) -> None:
    (project.folder / SOURCE / "034.png").write_bytes(png(np.full((8, 8), 7, np.uint8)))


def another_label(project: Project) -> None:
    path = project.folder / SOURCE / "labels.csv"
    path.write_text(path.read_text().replace("000.png,even", "000.png,odd"))


@pytest.mark.slow(reason="each case runs both engines; a quicker test covers each sentence")
@pytest.mark.parametrize(
    ("step", "words", "stage", "edit"),
    [
        ("download", (), "download@mine", another_image),
        ("download", (), "download@mine", another_label),
        ("download", (), "download@mine", setting("dataset", "labels", ["parity"])),
        ("preprocess", (), "preprocess@mine", setting("dataset", "split", {"method": "random", "seed": 9})),
        ("classifier", (), "classifier@mine", setting("classifier", "epochs", 2)),
        ("reference", (), "reference@mine-classifier", setting("sampling", "count", 5)),
        ("train", RUN, "train@tiny-plain-0", setting("training", "epochs", 3)),
        ("sample", RUN, "sample@tiny-plain-0", setting("sampling", "seed", 3)),
        ("evaluate", RUN, "evaluate@tiny-plain-0", setting("evaluation", "seed", 3)),
        ("report", (), "report@tiny", setting("study", "question", "Why?")),
    ],
)
def test_what_was_made_otherwise_is_never_certified(
    grounds: Grounds, tmp_path: Path, step: str, words: tuple[str, ...], stage: str, edit: Edit
) -> None:
    project = grounds.finished.copy(tmp_path / "project")
    before = {
        path: path.read_bytes() for path in (project.folder / "params.yaml", *(project.folder / SOURCE).iterdir())
    }
    edit(project)
    project.run("python", "-m", f"pipeline_steps.{step}", *words)
    for path, content in before.items():
        path.write_bytes(content)
    project.run("dvc", "commit", "--force", stage)
    for engine in ("dvc", "snakemake"):
        verdict = end_state(project, grounds.finished, engine, step)
        assert verdict.outcome is Outcome.RIGHT, verdict
