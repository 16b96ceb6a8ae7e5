"""The runs of a study: which can be explored, and why the others cannot."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path

from vaeline.data.paths import DATA
from vaeline.runs.description import Description, described
from vaeline.runs.folder import (
    DESCRIPTION,
    NOT_TRAINED,
    REPORT,
    WEIGHTS,
    RunKey,
    StudyFolder,
    project_of,
    run_in,
    runs_in,
    studies_in,
)
from vaeline.runs.identity import description_of, require_place
from vaeline.study.schema import Study
from vaeline.system.errors import UserError, shown

NEEDED = (WEIGHTS, DESCRIPTION)  # files of a run that the explorer reads
Key = tuple[str, int]  # variant and seed of a run


@dataclass(frozen=True)
class Runs:
    """The runs of a study."""

    study: str
    question: str  # empty if unknown
    folder: Path  # results/<study>
    data: Path  # folder of the HDF5 stores
    finished: dict[Key, Path]  # run -> its folder
    missing: dict[Key, str]  # run -> why it cannot be explored
    named: bool = False  # whether a person named each run, rather than a study

    @property
    def report(self) -> Path | None:
        """The report of the study; None before it is written."""
        path = self.folder / REPORT
        return path if not self.named and path.is_file() else None

    @property
    def variants(self) -> list[str]:
        """Variants with at least one finished run."""
        return list(dict.fromkeys(name for name, _ in self.finished))

    def seeds(self, variant: str) -> list[int]:
        """Seeds of the finished runs of a variant."""
        return [seed for name, seed in self.finished if name == variant]

    def folder_of(self, variant: str, seed: int) -> Path:
        """Folder of a finished run. The explorer reads no other folder.

        Raises:
            UserError: the run does not exist or is not finished.
        """
        if (variant, seed) in self.finished:
            return self.finished[variant, seed]
        if reason := self.missing.get((variant, seed)):
            raise UserError(f"{variant} seed {seed} is missing ({reason}); run the study, or choose another seed.")
        if variant not in self.variants:
            raise UserError(f"There is no trained run of {shown(variant)}; choose one of: {', '.join(self.variants)}.")
        seeds = ", ".join(map(str, self.seeds(variant)))
        raise UserError(f"There is no run of {variant} with seed {seed}; choose one of its seeds: {seeds}.")


def find(study: Study, project: Path = Path()) -> Runs:
    """Find the runs that a study names and that were trained with its current parameters.

    Args:
        study: the active study.
        project: root folder of the project.

    Raises:
        UserError: no run is trained.
    """
    where = StudyFolder(study.study.name, project)
    runs = Runs(study.study.name, study.study.question, where.path, project / DATA, {}, {})
    return _sort(runs, product(study.study.variants, study.study.seeds), study)


def find_named(name: str, project: Path = Path()) -> Runs:
    """Find all trained runs in the results of a study, which need not be the active one.

    Args:
        name: of the study.
        project: root folder of the project.

    Raises:
        UserError: the study has no results, or none of its runs is trained.
    """
    names = studies_in(project)
    if name not in names:
        advice = f"choose one of: {', '.join(names)}" if names else "run a study first (snakemake --cores 4 all)"
        raise UserError(f"--study is {shown(name)}, but results/ has no runs of such a study; {advice}.")
    where = StudyFolder(name, project)
    return _sort(Runs(name, "", where.path, project / DATA, {}, {}), runs_in(where.runs), None)


def given(folders: Sequence[Path], data: Path | None = None) -> Runs:
    """The runs in folders that may lie anywhere, such as runs that were fetched.

    Args:
        folders: of trained runs.
        data: with the store of their images, which may be missing; None for that of the project that the first one lies in.

    Raises:
        UserError: a folder has no trained run, two have the same variant and seed, or were trained on different images.
    """
    data = project_of(folders[0]) / DATA if data is None else data
    made = {folder: _description(folder) for folder in folders}
    (first, of_first), *_ = made.items()
    finished: dict[Key, Path] = {}
    for folder in folders:
        each = made[folder]
        if each.key in finished:
            raise UserError(
                f"{finished[each.key]} and {folder} are both {each.name} seed {each.seed}; give one of them."
            )
        if replace(each.facts, preprocessing={}) != replace(of_first.facts, preprocessing={}):
            ids = f"{of_first.facts.dataset_id} and {each.facts.dataset_id}"
            raise UserError(
                f"{first} and {folder} were trained on different images ({ids}); give runs of one data set."
            )
        finished[each.key] = folder
    studies = dict.fromkeys(each.study for each in made.values())
    return Runs(", ".join(studies), "", Path(), data, finished, {}, named=True)


def _description(folder: Path) -> Description:
    """What a folder that a person named says of its run."""
    if lacking := [name for name in NEEDED if not (folder / name).is_file()]:
        raise UserError(
            f"{folder} has no {lacking[0]}; give the folder of a run, such as results/digits/runs/cvae/seed-0."
        )
    made = described(folder / DESCRIPTION)
    require_place(folder, made)
    return made


def _sort(runs: Runs, keys: Iterable[Key], study: Study | None) -> Runs:
    """Copy `runs` with each key among the finished or the missing runs."""
    finished: dict[Key, Path] = {}
    missing: dict[Key, str] = {}
    for variant, seed in keys:
        folder = run_in(runs.folder / "runs", variant, seed)
        if reason := _why_missing(folder, runs.folder, RunKey(variant, seed), study):
            missing[variant, seed] = reason
        else:
            finished[variant, seed] = folder
    if not finished:
        why = next((f" ({reason})" for reason in missing.values() if reason != NOT_TRAINED), "")
        raise UserError(
            f"{runs.folder / 'runs'} has no trained run of the study{why}; run the study first (snakemake --cores 4 all), "
            "or choose another study with --study."
        )
    return replace(runs, finished=finished, missing=missing)


def _why_missing(folder: Path, results: Path, run: RunKey, study: Study | None) -> str | None:
    """Why a run cannot be explored; None if it can."""
    if not all((folder / name).is_file() for name in NEEDED):
        return NOT_TRAINED
    if not folder.resolve().is_relative_to(results.resolve()):
        return "its folder is a link to a place outside the study"
    try:
        made = description_of(folder, run)
    except UserError as error:
        return str(error).removesuffix(".")
    if study and not made.is_of(study, run.variant):
        return "trained with other parameters"
    return None
