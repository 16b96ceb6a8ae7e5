"""What the files of a job say about themselves, compared with the study whose values DVC is about to record for them."""

from collections.abc import Mapping

from vaeline.evaluation import shared_files
from vaeline.runs import identity, settings_check, tuning
from vaeline.runs.folder import RunKey, StudyFolder
from vaeline.study.schema import Study
from vaeline.study.settings import differences
from vaeline.study.step_settings import settings_of
from vaeline.system.errors import UserError, in_words
from vaeline.system.sealed_files import read_sealed


def says_other(rule: str, wildcards: Mapping[str, str], study: Study) -> str:
    """Why the files of a job do not say that they were made with the study's values; empty if they say so.

    The bridge records a job only if this is empty.

    Args:
        rule: of the Snakefile.
        wildcards: of the job, such as variant and seed.
        study: the active one, with the values that are about to be recorded.
    """
    if "seed" in wildcards:
        run = RunKey(wildcards["variant"], int(wildcards["seed"]))
        said = settings_check.other_settings(study, run, rule)
        return said or (_other_choice(study, run) if rule == "train" else "")
    if "variant" in wildcards:
        number = int(wildcards["trial"]) if "trial" in wildcards else None
        return tuning.other_settings(study, rule, wildcards["variant"], number)
    if rule == "code":  # whose files the bridge writes itself
        return ""
    return _other_report(study) if rule == "report" else shared_files.other_settings(study, rule)


def _other_choice(study: Study, run: RunKey) -> str:
    try:
        tuning.require_chosen(study, run, identity.description_of(StudyFolder(study.study.name).run(*run), run).tuned)
    except (UserError, OSError) as error:
        return str(in_words(error))
    return ""


def _other_report(study: Study) -> str:
    path = StudyFolder(study.study.name).comparison
    try:
        content = read_sealed(path, "run the study again")
        made = content["settings"] | {"study": [content[key] for key in ("study", "variants", "seeds")]}
        now = settings_of(study, "report") | {"study": [study.study.name, study.study.variants, study.study.seeds]}
    except UserError as error:
        return str(error)
    except KeyError as error:
        return f"{path} does not say what it was made of ({error})."
    other = differences(made, now)
    return f"{path} was made with other settings: {'; '.join(other)}." if other else ""
