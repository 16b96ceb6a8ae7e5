"""The folder that others get: the files of a run that say what it is and how good it is, with a model card.

Left out are files that show images of the data set or name machines: reconstructions.png, samples.h5, timing.json. Where a file names a path of
this machine, as of weights, its copy has the last name of the path, under a seal of its own.
"""

from pathlib import Path

from vaeline.runs import samples_file
from vaeline.runs.description import Description, described, read_content, write_description
from vaeline.runs.evaluation_file import Evaluation
from vaeline.runs.folder import CURVES, DESCRIPTION, DRAWN, EVALUATION, PICTURE_OF_SAMPLES, WEIGHTS
from vaeline.runs.identity import about_samples_of, evaluation_of, refuse_above, require_place, require_trained
from vaeline.sharing import card
from vaeline.study import parts
from vaeline.system.errors import UserError, some_of
from vaeline.system.files import write_bytes, write_text
from vaeline.system.machine_paths import without_machine_paths
from vaeline.system.sealed_files import write_sealed

# The last vouches for the first two.
NAMES = (WEIGHTS, CURVES, PICTURE_OF_SAMPLES, EVALUATION, card.NAME, DESCRIPTION)


def write(run: Path, folder: Path, source: str, licence: str = "") -> None:
    """Write the folder, after a check of the whole run.

    Args:
        run: folder of the run.
        folder: of the copy.
        source: what `vaeline.from_pretrained` takes to load the copy.
        licence: for the card; empty if none is given.

    Raises:
        UserError: a file of the run is missing, damaged, or of another run, or the run is not evaluated.
    """
    made, measured = _checked(run)
    picture = PICTURE_OF_SAMPLES if _has_picture(run, made) else ""
    for name in filter(None, (WEIGHTS, CURVES, picture)):
        write_bytes(folder / name, (run / name).read_bytes())
    if not picture:
        (folder / PICTURE_OF_SAMPLES).unlink(missing_ok=True)  # that of a run which was here before
    write_sealed(folder / EVALUATION, without_machine_paths(measured.model_dump()))
    write_text(folder / card.NAME, card.card(made, measured, source, picture, licence))
    write_description(folder, without_machine_paths(read_content(run / DESCRIPTION)))


def require_ours(there: list[str], where: str) -> None:
    """Refuse to write among files that are not those of a run that was shared before. Names that begin with a point are left alone.

    Args:
        there: names of the files that are there.
        where: they are.

    Raises:
        UserError: there are others.
    """
    others = sorted(name for name in there if not name.startswith(".") and name not in NAMES)
    if others:
        raise UserError(f"{where} has other files than a run that was pushed ({some_of(others)}); name a new one.")


def _checked(run: Path) -> tuple[Description, Evaluation]:
    """What the run is and what was measured, of files that are whole."""
    refuse_above(run)
    made = described(run / DESCRIPTION)
    require_place(run, made)
    parts.require_own_files(made.own_parts, run / DESCRIPTION)
    measured = evaluation_of(run, made)
    require_trained(run, made)
    return made, measured


def _has_picture(run: Path, made: Description) -> bool:
    """Whether the run has a picture of samples alone, which its samples.h5 vouches for; that of points shows real points too."""
    if made.facts.points or not (run / DRAWN).exists():
        return False
    samples_file.require_pictures(run, about_samples_of(run, made), [PICTURE_OF_SAMPLES])
    return True
