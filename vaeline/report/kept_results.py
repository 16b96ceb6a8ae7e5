"""What a study found, kept in the repository: `docs/results/<study>.json`, from which pages take their numbers."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import Field

from vaeline.evaluation.catalogue import DEFINING
from vaeline.report.comparison import Comparison, MetricResults
from vaeline.report.results import Run
from vaeline.study.parts import Entry
from vaeline.system.errors import UserError, damaged, instead_of, reading_ours, shown
from vaeline.system.files import write_text
from vaeline.system.sealed_files import read_sealed, seal

FOLDER = Path("docs/results")
QUICK = "_quick"  # how the name of a study with its quick overlay ends
SHOWN_OF_COMMIT = 7  # letters
LEVELS = 5  # of a file that have a line for each key: the measurements of a run stand on one
OF_VALUE = (
    "value",
    "parts",
    "halves",
    "by_judge",
    "descriptive",
)  # what a comparison reads of a value, by the keys of evaluation.json

About = Literal["results of a study; `make keep-results` writes them, and pages are rendered from them"]


class ValuesOfMetric(Entry):
    """A metric of all runs that have a value of it: what means, intervals and differences are computed from."""

    alike: dict[str, Any]  # how it was measured, as far as all runs agree
    runs: dict[
        str, dict[int, dict[str, Any]]
    ]  # variant -> seed -> the value, the parts of its error, how else it was measured

    def of(self, variant: str) -> dict[int, dict[str, Any]]:
        """What evaluation.json says of the metric, by seed: the value, what its error is estimated from, and how it was measured."""
        return {seed: {**self.alike, **own} for seed, own in self.runs.get(variant, {}).items()}


class KeptResults(Entry):
    """What a study found, and what it was made with."""

    about: About = get_args(About)[0]
    study: str  # as its results are named: celeba_cvae_nf_quick
    question: str
    commit: Annotated[str, Field(pattern=r"^[0-9a-f]{7,64}$")]  # the last one that changed the code or the study's file
    edited: list[str]  # files of the code and of the study that were not as in that commit
    statistics: Annotated[str, Field(pattern=r"^([0-9a-f]{7,64})?$")] = (
        ""  # the commit that computed intervals and claims; empty: the same
    )
    command: str
    changed: list[str]  # settings that are not those of the command
    trained: list[str]  # the first and the last day
    hardware: list[str]  # in words
    images: dict[str, int]  # split -> images
    epochs: Annotated[
        list[int], Field(min_length=1)
    ]  # of the training, and of the whole study's if the quick overlay trains less
    params: dict[str, Any]  # of the study, with every default spelled out; paths of the machine are last names
    comparison: Comparison  # every metric of the table; pairs of primary metrics alone
    measured: dict[str, ValuesOfMetric]


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


def measured(runs: Sequence[Run]) -> dict[str, ValuesOfMetric]:
    """Every metric of runs, so that any two variants can be compared later."""
    return {name: _measured(runs, name) for name in sorted({name for run in runs for name in run.metrics})}


def _measured(runs: Sequence[Run], name: str) -> ValuesOfMetric:
    found = [(run, run.evaluation[name]) for run in runs if name in run.metrics]
    first = found[0][1]
    alike = {
        key: first[key]
        for key in DEFINING
        if key in first and all(key in made and made[key] == first[key] for _, made in found)
    }
    by_variant: dict[str, dict[int, dict[str, Any]]] = {}
    for run, made in found:
        own = {key: value for key, value in made.items() if key in (*OF_VALUE, *DEFINING) and key not in alike}
        by_variant.setdefault(run.variant, {})[run.seed] = own
    return ValuesOfMetric(alike=alike, runs=by_variant)


def _without_pairs(of: MetricResults) -> MetricResults:
    return of.model_copy(update={"pairs": []})


def write(kept: KeptResults, folder: Path = FOLDER) -> Path:
    """Write the file of a study under its seal, and return its path."""
    path = path_of(kept.study, folder)
    write_text(path, _laid_out(seal(kept.model_dump(mode="json")), LEVELS) + "\n")
    return path


def _laid_out(value: object, levels: int, margin: str = "") -> str:
    """Sorted JSON, of which the outer levels have a line for each key, and a deeper value has one line."""
    if not levels or not isinstance(value, dict) or not value:
        return json.dumps(value, sort_keys=True, allow_nan=False)
    inner = margin + "  "
    lines = [f"{inner}{json.dumps(key)}: {_laid_out(value[key], levels - 1, inner)}" for key in sorted(value)]
    return "\n".join(["{", ",\n".join(lines), f"{margin}}}"])


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
