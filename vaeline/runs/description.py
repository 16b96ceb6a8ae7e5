"""The variant.yaml of a run, as the report and the explorer read it."""

from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel

from vaeline.runs.folder import unreadable
from vaeline.study.schema import Study


class DescribedFacts(BaseModel):
    """Of what a run's variant.yaml says of its data, what the report reads."""

    levels: int
    label_names: list[str] = []
    label_values: list[list[str]] = []


class Description(BaseModel):
    """A run's variant.yaml, as far as the report reads it."""

    variant: dict[str, Any]
    training: dict[str, Any]
    facts: DescribedFacts

    def is_of(self, study: Study, variant: str) -> bool:
        """Whether a study would train the run as it was trained."""
        wanted = study.variants[variant].model_dump(mode="json"), study.training.model_dump(mode="json")
        return (self.variant, self.training) == wanted


def described(path: Path) -> Description:
    """What a run's variant.yaml says.

    Raises:
        UserError: it is damaged.
    """
    try:
        return Description.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (yaml.YAMLError, ValueError) as error:
        raise unreadable(path, "a run's description") from error
