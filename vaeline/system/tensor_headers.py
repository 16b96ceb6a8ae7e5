"""The sealed notes in the header of a safetensors file, read without its tensors and without torch."""

import json
from pathlib import Path
from typing import Any

from vaeline.system.errors import reading_ours
from vaeline.system.sealed_files import unseal

ABOUT = "about"  # the entry of the header's metadata that is sealed
LARGEST = 100_000_000  # bytes of a header, as safetensors itself allows


def read_about(path: Path, again: str) -> dict[str, Any]:
    """Read what the tensors of a file are of, as `tensor_files.write_tensors` wrote it.

    Args:
        path: of the file.
        again: what to do if it is missing or damaged, as in "run `...` again".

    Raises:
        UserError: the file is missing, cannot be read, or its header is damaged.
    """
    with reading_ours(path, again), path.open("rb") as file:
        size = int.from_bytes(file.read(8), "little")
        return about_in(file.read(min(size, LARGEST)))


def about_in(header: bytes) -> dict[str, Any]:
    """The sealed notes in the header of a safetensors file.

    Raises:
        Exception: of any type; the header is damaged.
    """
    return unseal(json.loads(json.loads(header)["__metadata__"][ABOUT]))
