"""What the files of a job say about themselves, compared with the study whose values DVC is about to record for them."""

from vaeline.evaluation import shared_files
from vaeline.runs import settings_check
from vaeline.runs.folder import RunKey, StudyFolder
from vaeline.study.schema import Study
from vaeline.study.settings import differences
from vaeline.study.step_settings import settings_of
from vaeline.system.errors import UserError
from vaeline.system.sealed_files import read_sealed


def says_other(rule: str, variant: str | None, seed: str | None, study: Study) -> str:
    """Why the files of a job do not say that they were made with the study's values; empty if they say so.

    The bridge records a job only if this is empty.

    Args:
        rule: of the Snakefile.
        variant: of the job's run; None for a job of the whole study or of its data set.
        seed: of the job's run.
        study: the active one, with the values that are about to be recorded.
    """
    if variant is not None and seed is not None:
        return settings_check.other_settings(study, RunKey(variant, int(seed)), rule)
    if rule == "code":  # whose files the bridge writes itself
        return ""
    return _other_report(study) if rule == "report" else shared_files.other_settings(study, rule)


def _other_report(study: Study) -> str:
    path = StudyFolder(study.study.name).path / "comparison.json"
    try:
        content = read_sealed(path, "run the study again")
        made = content["settings"] | {"study": [content[key] for key in ("study", "variants", "seeds")]}
        now = settings_of(study, "report") | {"study": [study.study.name, study.study.variants, study.study.seeds]}
    except (UserError, KeyError) as error:
        return f"{path} does not say what it was made of ({error})."
    other = differences(made, now)
    return f"{path} was made with other settings: {'; '.join(other)}." if other else ""
