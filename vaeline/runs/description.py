"""The variant.yaml of a run, as the report and the explorer read it, without building the model."""

from pathlib import Path

import yaml
from pydantic import BaseModel

from vaeline.runs.folder import unreadable
from vaeline.study.schema import Study


class DescribedFacts(BaseModel):
    """The facts about a run's data that the report reads."""

    levels: int
    label_names: list[str] = []
    label_values: list[list[str]] = []


class Description(BaseModel):
    """The part of a run's variant.yaml that the report reads."""

    variant: dict[str, object]
    training: dict[str, object]
    facts: DescribedFacts

    def is_of(self, study: Study, variant: str) -> bool:
        """Whether the run was trained with the variant and the training settings that the study has now."""
        wanted = study.variants[variant].model_dump(mode="json"), study.training.model_dump(mode="json")
        return (self.variant, self.training) == wanted


def described(path: Path) -> Description:
    """Read a run's variant.yaml.

    Raises:
        UserError: it is damaged.
    """
    try:
        return Description.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (yaml.YAMLError, ValueError) as error:
        raise unreadable(path, "a run's description") from error
