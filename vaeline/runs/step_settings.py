"""What each step of a run reads of params.yaml. Its files name the values, and readers compare them with the study."""

from typing import Any

from vaeline.study.schema import Study
from vaeline.study.settings import values

# As `pipeline_steps.command.reads` takes them. The steps run in this order.
READS = {
    "train": ("training", "variants.{variant}"),
    "sample": ("sampling", "training.device", "training.threads"),
    "evaluate": ("evaluation", "training.device", "training.threads"),
}


def settings_of(study: Study, step: str, variant: str) -> dict[str, Any]:
    """The values that a step of a run reads now: dotted key -> value, as JSON gives it back."""
    return values(study, (key.format(variant=variant) for key in READS[step]))
