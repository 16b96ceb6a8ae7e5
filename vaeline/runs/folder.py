"""The folder of a run and the files in it."""

from pathlib import Path
from typing import TypeVar

from pydantic import TypeAdapter

from vaeline.system.errors import UserError

T = TypeVar("T")

# What the report reads of a run, in the order in which it appears, and what its absence says.
FILES = {
    "training.csv": "not trained",
    "model.safetensors": "not trained",
    "variant.yaml": "not trained",
    "samples.h5": "trained, not sampled",
    "reconstructions.png": "trained, not sampled",
    "samples.png": "trained, not sampled",
    "metrics.json": "sampled, not evaluated",
    "evaluation.json": "sampled, not evaluated",
}


def read_json(content: TypeAdapter[T], path: Path) -> T:
    try:
        return content.validate_json(path.read_bytes(), strict=True)
    except ValueError as error:
        raise unreadable(path, "JSON of figures") from error


def unreadable(path: Path, expected: str) -> UserError:
    return UserError(
        f"{path} is damaged (it should be {expected}); delete it and run the study again, which makes it anew."
    )
