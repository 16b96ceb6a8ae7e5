"""The variant.yaml of a run: what the run is, under a seal. It is read without building the model.

It vouches for the run's model.safetensors and training.csv by their checksums.
"""

from collections.abc import Mapping
from copy import deepcopy
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict

from vaeline.data.facts import Facts
from vaeline.runs.folder import DESCRIPTION, RunKey, again_for
from vaeline.study.schema import Study
from vaeline.study.settings import differences
from vaeline.study.step_settings import settings_of
from vaeline.system.errors import UserError, reading_ours
from vaeline.system.files import write_text
from vaeline.system.sealed_files import seal, unseal

LOADER = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader


class Description(BaseModel):
    """What the variant.yaml of a finished training says."""

    model_config = ConfigDict(strict=True)

    study: str  # its name
    name: str  # of the variant
    seed: int
    variant: dict[str, Any]
    own_parts: list[str] = []  # files of the project's own parts that the variant names
    training: dict[str, Any]
    tuned: dict[str, Any] = {}  # dotted key -> the value that tuning has chosen
    facts: Facts  # of its images
    weights_sha256: str  # of model.safetensors
    training_csv_sha256: str

    @property
    def key(self) -> RunKey:
        """The variant and the seed of the run."""
        return RunKey(self.name, self.seed)

    @property
    def settings(self) -> dict[str, Any]:
        """The settings that the run was trained with: dotted key of params.yaml -> its value."""
        return {"training": self.training, f"variants.{self.name}": self.variant}

    def is_of(self, study: Study, variant: str) -> bool:
        """Whether the run was trained with the variant and the training settings that the study has now, but for what was tuned."""
        try:
            return not differences(self.settings, settings_of(study, "train", variant, self.tuned))
        except UserError:  # the variant has no longer a key that was tuned
            return False


@lru_cache(maxsize=1000)  # the bridge asks several times for each run
def _parsed(text: str) -> Any:
    """The content of safe YAML without aliases: `write_description` writes none, and a few lines of them can exceed all memory.

    The parser is that of libyaml where PyYAML has it, which takes a tenth of the time: both engines' bridge reads every run.
    """
    for event in yaml.parse(text, LOADER):
        if isinstance(event, yaml.AliasEvent):
            raise yaml.composer.ComposerError(None, None, "it contains an alias", None)
    return yaml.load(text, LOADER)  # a safe loader


def write_description(folder: Path, content: Mapping[str, object]) -> None:
    """Write a run's variant.yaml under its seal: values that JSON can represent."""
    sealed = _plain(seal(content))
    write_text(folder / DESCRIPTION, yaml.safe_dump(sealed, sort_keys=False, allow_unicode=True))


def read_content(path: Path) -> dict[str, Any]:
    """The content of a variant.yaml, as it was written.

    Raises:
        UserError: it is missing, damaged, was edited, or is of an older version, which wrote no seal.
    """
    with reading_ours(path, again_for(path, "train")):
        return unseal(deepcopy(_parsed(path.read_text(encoding="utf-8"))))


def described(path: Path) -> Description:
    """Read a run's variant.yaml.

    Raises:
        UserError: as `read_content`; or it says too little.
    """
    content = read_content(path)
    with reading_ours(path, again_for(path, "train")):
        return Description.model_validate(content | {"facts": Facts.from_dict(content["facts"])})


def weights_of(folder: Path) -> str:
    """The SHA-256 of a run's weights, as its variant.yaml says; empty if it cannot be read."""
    try:
        return described(folder / DESCRIPTION).weights_sha256
    except (UserError, OSError):
        return ""


def _plain(content: object) -> object:
    """The content with lists in place of tuples, which safe YAML cannot represent."""
    if isinstance(content, dict):
        return {key: _plain(value) for key, value in content.items()}
    return [_plain(value) for value in content] if isinstance(content, list | tuple) else content
