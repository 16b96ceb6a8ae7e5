"""Whether the files of a run say themselves that they were made with the settings that a study has now. Quick: no torch."""

from pathlib import Path

from vaeline.runs import identity
from vaeline.runs.folder import RunKey, StudyFolder
from vaeline.study.schema import Study
from vaeline.study.step_settings import again, require_settings, settings_of
from vaeline.system.errors import UserError, in_words


def other_settings(study: Study, run: RunKey, step: str, project: Path = Path()) -> str:
    """What is wrong with the files that a step wrote for a run: its settings, or what it is of.

    Args:
        study: the active study.
        run: that they are files of.
        step: `train`, `sample` or `evaluate`.
        project: the root of the project.

    Returns:
        A sentence; empty if the files are of this run and of the study's settings. Checksums of whole files are not taken.
    """
    try:
        require_step(study, run, step, project)
    except (UserError, OSError) as error:
        return str(in_words(error))
    return ""


def require_step(study: Study, run: RunKey, step: str, project: Path = Path()) -> None:
    """Check before long work that what a step wrote for a run is of the study's settings.

    Raises:
        UserError: it is of other settings, or of another run, or damaged.
        OSError: a file cannot be read.
    """
    if run.variant not in study.variants:
        raise UserError(f"params.yaml no longer contains the variant {run.variant}.")
    folder = StudyFolder(study.study.name, project).run(*run)
    made = identity.description_of(folder, run)
    settings = made.settings
    if step != "train":
        settings = (identity.about_samples_of if step == "sample" else identity.evaluation_of)(folder, made).settings
    require_settings(folder, settings, settings_of(study, step, run.variant, made.tuned), again(step, run))
