"""What a study found, kept in the repository: `docs/results/<study>.json`, from which pages take their numbers."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, get_args

from vaeline.report.comparison import Comparison, MetricResults
from vaeline.report.paired_differences import Pair
from vaeline.study.parts import Entry
from vaeline.system.errors import UserError, damaged, instead_of, reading_ours, shown
from vaeline.system.sealed_files import read_sealed, write_sealed

FOLDER = Path("docs/results")
QUICK = "_quick"  # how the name of a study with its quick overlay ends
SHOWN_OF_COMMIT = 7  # letters

About = Literal["results of a study; `make keep-results` writes them, and pages are rendered from them"]


class Asked(Entry):
    """A comparison that the claims of a paper ask for: the first variant against `factor` times the second."""

    metric: str
    first: str
    second: str
    factor: float
    target: float | None = None  # how far the metric is from it is compared; None: the metric itself
    pair: Pair | None  # of several variants: of their mean logarithms, so that its difference is the mean of ln ratios
    why: str  # why there is no pair; empty if there is one


class KeptResults(Entry):
    """What a study found, and what it was made with."""

    about: About = get_args(About)[0]
    study: str  # as its results are named: celeba_cvae_nf_quick
    question: str
    commit: str  # the last one that changed the code
    edited: list[str]  # files of the code that were not as in that commit
    command: str
    changed: list[str]  # settings that are not those of the command
    trained: list[str]  # the first and the last day
    hardware: list[str]  # in words
    images: dict[str, int]  # split -> images
    epochs: list[int]  # of the training, and of the whole study's if the quick overlay trains less
    params: dict[str, Any]  # of the study, with every default spelled out; paths of the machine are last names
    comparison: Comparison  # every metric of the table; pairs of primary metrics alone
    asked: list[Asked]


def file_name(study: str) -> str:
    """The name of a study's file without its suffix: a study and its quick overlay share one, so that one of them is shown."""
    return study.removesuffix(QUICK)


def path_of(study: str, folder: Path = FOLDER) -> Path:
    """The file of a study."""
    return folder / f"{file_name(study)}.json"


def reduced(comparison: Comparison) -> Comparison:
    """A comparison with what pages show: the metrics of the table, and pairs of primary metrics. The settings are kept apart from it."""
    metrics = {
        name: of if name in comparison.primary else _without_pairs(of) for name, of in comparison.main_metrics().items()
    }
    return comparison.model_copy(update={"metrics": metrics, "settings": {}})


def _without_pairs(of: MetricResults) -> MetricResults:
    return of.model_copy(update={"pairs": []})


def write(kept: KeptResults, folder: Path = FOLDER) -> Path:
    """Write the file of a study under its seal, and return its path."""
    path = path_of(kept.study, folder)
    write_sealed(path, kept.model_dump(mode="json"))
    return path


def read(name: str, folder: Path = FOLDER, asks: str = "") -> KeptResults:
    """Read the file of a study.

    Args:
        name: of the study, without the ending of its quick overlay.
        folder: of the files.
        asks: who asks for it, as part of a sentence: `, which README.md shows,`.

    Raises:
        UserError: the file is missing, or it was edited or damaged, or it holds the results of another study.
    """
    if name not in names(folder):
        known = instead_of(name, names(folder), "there are")
        raise UserError(
            f"There are no results of {shown(name)}{asks} in {folder}; {known}; `make keep-results` writes them."
        )
    path, again = path_of(name, folder), f"`make keep-results STUDY={name}` writes it anew"
    content = read_sealed(path, again)
    with reading_ours(path, again):
        kept = KeptResults.model_validate_json(json.dumps(content))
    if file_name(kept.study) != name:
        raise damaged(path, f"it holds the results of {kept.study}", again, "the file of another study")
    return kept


def names(folder: Path = FOLDER) -> Sequence[str]:
    """The studies whose results are kept, sorted."""
    return sorted(path.stem for path in folder.glob("*.json"))
