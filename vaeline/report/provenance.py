"""What a report comes from: the stages with their costs, the data, the environment."""

import platform
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import NamedTuple

from vaeline.data.facts import Facts
from vaeline.data.splits import SPLITS
from vaeline.report.costs import Cost
from vaeline.report.results import Results
from vaeline.study.step_settings import OF_RUN
from vaeline.system.errors import UserError
from vaeline.system.repository import CODE, edited, git, tracks

PACKAGES = ["torch", "torchvision", "lightning-fabric", "numpy", "scipy", "scikit-learn", "h5py", "dvc", "snakemake"]
STAGES = {  # stage, in the order in which they run -> what it makes
    "download": "raw files, checked", "preprocess": "one HDF5 store", "classifier": "the classifier of labels",
    "reference": "statistics of real images", "trial": "the score of a trial of the tuning", "train": "weights of a run",
    "sample": "images and latents of a run", "evaluate": "metrics of a run", "report": "this page",
}  # fmt: skip
SHOWN_OF_CHECKSUM = 16  # letters


class Stage(NamedTuple):
    """A stage of the pipeline, as the report shows it."""

    name: str
    makes: str
    jobs: int
    cost: str  # in words; empty if unknown


@dataclass(frozen=True)
class Provenance:
    """What a report comes from."""

    stages: list[Stage]
    data: Mapping[str, str]
    environment: Mapping[str, str]


def provenance(results: Results, facts: Facts | None, spent: Mapping[str, Cost]) -> Provenance:
    """What the report of a study comes from.

    Args:
        results: the runs.
        facts: of the store; None if it is unavailable.
        spent: what each stage cost.
    """
    stages = [
        Stage(name, makes, jobs, _in_words(spent[name]) if name in spent else "")
        for name, makes in STAGES.items()
        if (jobs := _jobs(results, name))
    ]
    return Provenance(stages, {} if facts is None else _data(facts), environment())


def _jobs(results: Results, stage: str) -> int:
    if stage == "trial":
        return sum(len(choice.trials) for choice in results.choices.values())
    return len(results.runs) + len(results.missing) if stage in OF_RUN else 1


def _in_words(cost: Cost) -> str:
    time = f"{duration(cost.seconds)} in total, {cost.runs} runs" if cost.runs > 1 else duration(cost.seconds)
    return time if cost.peak_bytes is None else f"{time}; at most {cost.peak_bytes / 2**20:,.0f} MB"


def _data(facts: Facts) -> dict[str, str]:
    found = {"data set": facts.dataset_id, "images": "x".join(map(str, facts.image_shape))}
    found |= {
        f"{split} split": f"{facts.counts[split]:,}, SHA-256 {facts.checksums[split][:SHOWN_OF_CHECKSUM]}…"
        for split in SPLITS
    }
    for name, file in facts.preprocessing.get("manifest", {}).get("files", {}).items():
        found[name] = f"{file['bytes']:,} bytes, SHA-256 {file['sha256'][:SHOWN_OF_CHECKSUM]}…"
    return found


def environment() -> dict[str, str]:
    """What this process runs on: versions, and the commit if the project is in a repository."""
    found = {
        "commit": _commit(),
        "Python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
    }
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return {name: value for name, value in found.items() if value}


def _commit() -> str:
    """The commit that is checked out, and whether the code was edited since; empty without a commit, or if no repository has the code.

    Parameters and what a run writes are no edits of the code.
    """
    commit = git("describe", "--always", "--abbrev=12", "--exclude=*")
    try:
        if not (tracks(CODE) and commit):
            return ""
        return f"{commit}, with edits" if edited(CODE) else commit
    except UserError:
        return f"{commit}, edits unknown" if commit else "unknown: git refuses to read the repository"


def duration(seconds: float) -> str:
    """A time in words: 3.2 s, 2 min 05 s, 1 h 20 min."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min {seconds:02d} s"
