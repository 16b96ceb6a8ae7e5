"""What the files of a job say about themselves, compared with what DVC is about to record for them."""

from pathlib import Path

from vaeline.runs.description import described
from vaeline.study.schema import Study
from vaeline.system.errors import UserError


def says_other(rule: str, outputs: list[str], variant: str | None, study: Study) -> str:
    """Why the files of a job do not say that they were made with the study's values; empty if they say so.

    The bridge records a job only if this is empty. Files that say nothing about themselves are accepted here.

    Args:
        rule: of the Snakefile.
        outputs: of the job.
        variant: of the job's run; None for a job of the whole study or of its data set.
        study: the active one, with the values that are about to be recorded.
    """
    if rule == "train" and variant is not None:
        [path] = [Path(output) for output in outputs if output.endswith("variant.yaml")]
        try:
            if not described(path).is_of(study, variant):
                return f"{path} names other settings than params.yaml."
        except (UserError, OSError) as error:
            return str(error)
    return ""
