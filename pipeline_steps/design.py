"""Write what the trials of a variant try."""

from pipeline_steps.command import reads, variant_command
from vaeline.runs.tuning import write_design
from vaeline.study.schema import Study


@variant_command
@reads("design", code="design")
def main(study: Study, variant: str) -> None:
    """Write what the trials of a variant try: the same for every variant, and nothing if tuning is off."""
    write_design(study, variant)


if __name__ == "__main__":
    main()
