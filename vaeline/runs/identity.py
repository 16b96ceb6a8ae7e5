"""Whether the files of a run are those of one run, and of the run that its folder is for.

Each function reads one file, which says under a seal what it is of, and compares that with the files before it. Only the
functions that say so read whole files.
"""

from contextlib import suppress
from pathlib import Path

from vaeline.runs import samples_file
from vaeline.runs.description import Description, described
from vaeline.runs.evaluation_file import Evaluation, MeasuredOn, read_evaluation
from vaeline.runs.folder import CURVES, DESCRIPTION, DRAWN, EVALUATION, WEIGHTS, RunKey, again_for, in_project, place_of
from vaeline.runs.samples_file import About, DrawnFrom, DrawnImages
from vaeline.system.errors import UserError, reading_ours
from vaeline.system.files import sha256


def description_of(folder: Path, run: RunKey) -> Description:
    """What the variant.yaml in the folder of a run says.

    Raises:
        UserError: it is missing, damaged, or of another run.
    """
    path = folder / DESCRIPTION
    made = described(path)
    if made.key != run:
        raise _swapped(path, f"of {_words(made.key)}", run, "train")
    require_place(folder, made)
    return made


def refuse_above(folder: Path) -> None:
    """Refuse a folder that holds the folders of runs.

    Raises:
        UserError: it is that of a variant, or of a study.
    """
    runs: list[Path] = []
    with suppress(OSError):  # which reading the folder names
        runs = sorted(
            each.parent for above in (".", "*", "runs/*") for each in folder.glob(f"{above}/seed-*/{DESCRIPTION}")
        )
    if runs and not (folder / DESCRIPTION).exists():
        raise UserError(f"{folder} is no folder of a run; give one such as {runs[0]}.")


def require_place(folder: Path, made: Description) -> None:
    """Check that a run lies in the folder for it, if it lies where studies have their runs. A copy elsewhere may have any place.

    Raises:
        UserError: it is of another study, variant or seed.
    """
    place = place_of(folder)
    if place not in (None, (made.study, made.key)):
        study, run = place
        path = folder / DESCRIPTION
        raise _swapped(path, f"of {_words(made.key)} of the study {made.study}", run, "train", f" of the study {study}")


def about_samples_of(folder: Path, made: Description) -> About:
    """What the samples.h5 of a run says. Its datasets are not read.

    Raises:
        UserError: it is missing, damaged, of another run, or was drawn from other weights or other images.
    """
    path = folder / DRAWN
    found = samples_file.about(path)
    _require(path, found, made, "sample")
    return found


def samples_of(folder: Path, made: Description) -> DrawnImages:
    """The images that a run drew. The whole samples.h5 is verified.

    Raises:
        UserError: it is missing, damaged, of another run, or was drawn from other weights or other images.
    """
    about_samples_of(folder, made)
    return samples_file.read(folder / DRAWN)


def evaluation_of(folder: Path, made: Description) -> Evaluation:
    """What the evaluation.json of a run says. The samples are not read.

    Raises:
        UserError: it is missing, damaged, of another run, or was measured with other weights or other images.
    """
    found = read_evaluation(folder)
    _require(folder / EVALUATION, found.of, made, "evaluate")
    return found


def require_files(folder: Path, made: Description, of: About, measured: Evaluation) -> None:
    """Read every other file of a finished run whole, and check it against the checksum that vouches for it.

    Raises:
        UserError: a file is damaged, or of another run.
    """
    require_trained(folder, made)
    if sha256(folder / DRAWN) != measured.of.samples_sha256:
        samples_file.verify(folder / DRAWN)  # says what is damaged
        path = folder / EVALUATION
        raise _swapped(path, f"of other samples than {DRAWN} holds", made.key, "evaluate")
    samples_file.require_pictures(folder, of, list(of.pictures))


def require_trained(folder: Path, made: Description) -> None:
    """Read the weights and the curves of a run whole, and check them against the checksums of its variant.yaml.

    Raises:
        UserError: one is missing, damaged, or of another run.
    """
    for name, checksum in {WEIGHTS: made.weights_sha256, CURVES: made.training_csv_sha256}.items():
        with reading_ours(folder / name, again_for(folder / name, "train")):
            found = sha256(folder / name)
        if found != checksum:
            raise _swapped(folder / name, f"damaged, or not the file that {DESCRIPTION} vouches for", made.key, "train")


def _require(path: Path, found: DrawnFrom | MeasuredOn, made: Description, step: str) -> None:
    run = RunKey(found.variant, found.seed)
    if run != made.key:
        raise _swapped(path, f"of {_words(run)}", made.key, step)
    if found.weights_sha256 != made.weights_sha256:
        raise _swapped(path, "of other weights than those that are there now", made.key, step)
    if found.data != made.facts.checksums:
        raise _swapped(path, "of other images than the run was trained on", made.key, step)


def _swapped(path: Path, what: str, run: RunKey, step: str, of: str = "") -> UserError:
    restore = "restore it with `dvc checkout`, or " if in_project(path) else ""
    return UserError(f"{path} is {what}, in the folder of {_words(run)}{of}; {restore}{again_for(path, step)}.")


def _words(run: RunKey) -> str:
    return f"{run.variant} seed {run.seed}"
