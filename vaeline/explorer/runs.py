"""The runs of a study that can be explored, and why the others cannot."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import product
from pathlib import Path

from vaeline.data.paths import DATA
from vaeline.runs.description import described
from vaeline.runs.folder import StudyFolder, runs_in, studies_in
from vaeline.study.schema import Study
from vaeline.system.errors import UserError

NEEDED = ("model.safetensors", "variant.yaml")
Key = tuple[str, int]  # variant and seed of a run


@dataclass(frozen=True)
class Runs:
    """A study's runs."""

    study: str
    question: str
    folder: Path  # results/<study>
    data: Path  # where stores lie
    finished: dict[Key, Path]  # run -> its folder
    missing: dict[Key, str]  # run -> why it cannot be explored

    def seeds(self, variant: str) -> list[int]:
        """The seeds from which a variant is trained."""
        return [seed for name, seed in self.finished if name == variant]

    @property
    def variants(self) -> list[str]:
        """Those of which there is a run."""
        return list(dict.fromkeys(name for name, _ in self.finished))

    def place(self, variant: str, seed: int) -> Path:
        """The folder of a run that is finished: no other folder is ever read.

        Raises:
            UserError: there is no such run, or it is not finished.
        """
        if (variant, seed) in self.finished:
            return self.finished[variant, seed]
        if why := self.missing.get((variant, seed)):
            raise UserError(f"{variant} seed {seed} is missing ({why}); run the study, or take another seed.")
        if variant not in self.variants:
            raise UserError(f"There is no run of {variant!r} to explore; there are: {', '.join(self.variants)}.")
        seeds = ", ".join(map(str, self.seeds(variant)))
        raise UserError(f"There is no run of {variant} with seed {seed}; its seeds are: {seeds}.")


def find(study: Study, project: Path = Path()) -> Runs:
    """The runs that a study names, trained as it says.

    Args:
        study: the active one.
        project: its root.

    Raises:
        UserError: none is trained, or a description is damaged.
    """
    where = StudyFolder(study.study.name, project)
    wanted = product(study.study.variants, study.study.seeds)
    return _sorted(study.study.question, where, wanted, study)


def find_named(name: str, project: Path = Path()) -> Runs:
    """Whatever runs lie in the results of a study that need not be the active one.

    Raises:
        UserError: there are no such results, or none of their runs is trained.
    """
    there = studies_in(project)
    if name not in there:
        raise UserError(f"--study is {name!r}; results has runs of: {', '.join(there) or 'no study yet'}.")
    where = StudyFolder(name, project)
    return _sorted("", where, runs_in(where.runs), None)


def _sorted(question: str, where: StudyFolder, keys: Iterable[Key], study: Study | None) -> Runs:
    folder = where.path
    finished, missing = {}, {}
    for variant, seed in keys:
        place = where.run(variant, seed)
        if why := _why_missing(place, folder, variant, study):
            missing[variant, seed] = why
        else:
            finished[variant, seed] = place
    if not finished:
        raise UserError(
            f"No run of the study is trained in {where.runs}; run it first (snakemake --cores 4 all), or see another with --study."
        )
    return Runs(where.name, question, folder, where.project / DATA, finished, missing)


def _why_missing(place: Path, folder: Path, variant: str, study: Study | None) -> str | None:
    if not all((place / name).is_file() for name in NEEDED):
        return "not trained"
    if not place.resolve().is_relative_to(folder.resolve()):
        return "a link that leads out of the study"
    if study and not described(place / "variant.yaml").is_of(study, variant):
        return "trained under other parameters"
    return None
