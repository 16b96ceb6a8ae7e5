"""The folders of studies and runs: the path of each is built here.

results/<study>/                              the study's report, metrics and plots
results/<study>/code.json                     hashes of the steps' code
results/<study>/timing.json                   time and memory of the report
results/<study>/runs/<variant>/seed-<seed>/   the files of a run
results/<study>/runs/<variant>/choice.json    what the tuning of a variant has chosen
results/<study>/tuning/<variant>/design.json  what its trials try
results/<study>/tuning/<variant>/trial-<n>/   the files of a trial
results/<study>/former/<variant>/...          runs that the study no longer names
results/<study>/live/<variant>-seed-<seed>/   curves of a training that is going on
"""

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from vaeline.study.step_settings import again

RESULTS = "results"
# The files of a run, in the order in which the steps write them.
CURVES = "training.csv"
WEIGHTS = "model.safetensors"
DESCRIPTION = "variant.yaml"
DRAWN = "samples.h5"
PICTURE_OF_RECONSTRUCTIONS, PICTURE_OF_SAMPLES = "reconstructions.png", "samples.png"
EVALUATION = "evaluation.json"
METRICS = "metrics.json"  # of a run, and of a study
TIMING = "timing.json"  # of a run, of a trial, and of a study

CHOICE = "choice.json"  # of a variant
TRIAL = "trial.json"  # of a trial
COMPARISON, REPORT = "comparison.json", "report.html"  # of a study

NOT_TRAINED = "not trained"

# What the report reads of a run, in the order in which the steps write it, and the state of a run without the file.
FILES = {
    CURVES: NOT_TRAINED,
    WEIGHTS: NOT_TRAINED,
    DESCRIPTION: NOT_TRAINED,
    DRAWN: "trained, not sampled",
    PICTURE_OF_RECONSTRUCTIONS: "trained, not sampled",
    PICTURE_OF_SAMPLES: "trained, not sampled",
    EVALUATION: "sampled, not evaluated",
    METRICS: "sampled, not evaluated",
}


class RunKey(NamedTuple):
    """What tells a run from the other runs of its study."""

    variant: str
    seed: int

    def __str__(self) -> str:
        return f"{self.variant}-seed-{self.seed}"


@dataclass(frozen=True)
class StudyFolder:
    """The folder of a study's results.

    Args:
        name: of the study.
        project: the root of the project.
    """

    name: str
    project: Path = Path()

    @property
    def path(self) -> Path:
        """The folder itself."""
        return self.project / RESULTS / self.name

    @property
    def runs(self) -> Path:
        """The folder of all runs."""
        return self.path / "runs"

    @property
    def former(self) -> Path:
        """The folder of runs that the study no longer names."""
        return self.path / "former"

    @property
    def code(self) -> Path:
        """The hashes of the code behind the runs and the report."""
        return self.path / "code.json"

    @property
    def comparison(self) -> Path:
        """What the report has found."""
        return self.path / COMPARISON

    @property
    def timing(self) -> Path:
        """Time and memory that the report took."""
        return self.path / TIMING

    def run(self, variant: str, seed: int) -> Path:
        """The folder of a run."""
        return run_in(self.runs, variant, seed)

    def design(self, variant: str) -> Path:
        """What the trials of a variant try."""
        return self.path / "tuning" / variant / "design.json"

    def trial(self, variant: str, number: int) -> Path:
        """The folder of a trial."""
        return self.path / "tuning" / variant / f"trial-{number}"

    def choice(self, variant: str) -> Path:
        """What the tuning of a variant has chosen."""
        return self.runs / variant / CHOICE

    def live(self, variant: str, seed: int) -> Path:
        """The curves of a run while it is trained."""
        return self.path / "live" / str(RunKey(variant, seed))


def run_in(runs: Path, variant: str, seed: int) -> Path:
    """The folder of a run below the folder of all runs of its study."""
    return runs / variant / f"seed-{seed}"


def key_of(run: Path) -> RunKey | None:
    """The variant and the seed of a run's folder; None if the folder does not have the name of a run."""
    seed = re.fullmatch("seed-(0|[1-9][0-9]*)", run.name)  # seed-00 is no second folder of seed 0
    return RunKey(run.parent.name, int(seed[1])) if seed else None


def place_of(run: Path) -> tuple[str, RunKey] | None:
    """The study, and the variant and seed, whose run a folder is for; None if it does not lie where studies have their runs."""
    whole = Path(os.path.abspath(run))
    key, above = key_of(whole), [folder.name for folder in whole.parents[1:4]]
    if key is None or len(above) < 3 or (above[0], above[2]) != ("runs", RESULTS):
        return None
    return above[1], key


def folders_in(runs: Path) -> list[Path]:
    """Every folder that a run, or a copy of one, may lie in below the folder of all runs of a study, sorted."""
    return sorted(runs.glob("*/seed-*"))


def runs_in(runs: Path) -> dict[RunKey, Path]:
    """The folders of the runs below the folder of all runs of a study, sorted by variant and seed."""
    return dict(sorted((key, path) for path in folders_in(runs) if (key := key_of(path))))


def studies_in(project: Path) -> list[str]:
    """The names of the studies that have runs, sorted."""
    return sorted(path.parent.name for path in (project / RESULTS).glob("*/runs"))


def project_of(run: Path) -> Path:
    """The root of the project that a run's folder lies in; the current folder if it lies in none.

    A former run lies in its project too.
    """
    whole = Path(os.path.abspath(run))
    return next((folder.parent for folder in whole.parents if folder.name == RESULTS), Path())


def in_project(path: Path) -> bool:
    """Whether a file of a run is where a project has its results, and not in a copy of the run elsewhere."""
    return RESULTS in Path(os.path.abspath(path)).parts


def again_for(path: Path, step: str) -> str:
    """What to do if a file of a run, at a path, cannot be used: a step makes it in the run's project, and a copy is got anew elsewhere."""
    if not in_project(path):
        return "give the folder of a run, or get it again from where it came"
    return again(step, key_of(Path(os.path.abspath(path)).parent))
