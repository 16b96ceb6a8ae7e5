"""Write the hashes of the code that each step and variant runs, which DVC takes as parameters."""

from pipeline_steps.code_hashes import write_hashes
from pipeline_steps.command import reads, study_command
from vaeline.evaluation.catalogue import require_metrics
from vaeline.study.schema import Study


@study_command
@reads("code", code=None)
def main(study: Study) -> None:
    """Write the hashes of the code behind every step, which DVC takes as parameters."""
    require_metrics(study)  # the first step tells of a mistake, and not the report
    write_hashes(study)


if __name__ == "__main__":
    main()
