"""Whether the files of a run say themselves that they were made with the settings that a study has now. Quick: no torch."""

from pathlib import Path

from vaeline.runs import identity
from vaeline.runs.folder import RunKey, StudyFolder
from vaeline.runs.step_settings import settings_of
from vaeline.study.schema import Study
from vaeline.system.errors import UserError


def other_settings(study: Study, variant: str, seed: int, step: str, project: Path = Path()) -> str:
    """What is wrong with the files that a step wrote for a run: its settings, or what it is of.

    Args:
        study: the active study.
        variant: of the run.
        seed: of the run.
        step: `train`, `sample` or `evaluate`.
        project: the root of the project.

    Returns:
        A sentence; empty if the files are of this run and of the study's settings. Checksums of whole files are not taken.
    """
    if variant not in study.variants:
        return f"params.yaml no longer contains the variant {variant}."
    run = RunKey(variant, seed)
    folder = StudyFolder(study.study.name, project).run(*run)
    try:
        made = identity.trained(folder, run)
        if step == "train":
            return "" if made.is_of(study, variant) else _other(folder, run, step)
        found = (identity.drawn if step == "sample" else identity.evaluated)(folder, made)
    except (UserError, OSError) as error:
        return str(error)
    return "" if found.settings == settings_of(study, step, variant) else _other(folder, run, step)


def require_settings(study: Study, variant: str, seed: int, step: str) -> None:
    """Check before long work that what a step wrote for a run is of the study's settings.

    Raises:
        UserError: it is of other settings, or of another run, or damaged.
    """
    if why := other_settings(study, variant, seed, step):
        raise UserError(why)


def _other(folder: Path, run: RunKey, step: str) -> str:
    return (
        f"{folder} was made with other settings of `{step}` than params.yaml contains; make it again with "
        f"`python -m pipeline_steps.{step} --variant {run.variant} --seed {run.seed}`."
    )
