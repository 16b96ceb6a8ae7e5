"""JSON files under a seal: a checksum over all that the file says, by which a reader notices any change."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vaeline.system.errors import UserError, reading
from vaeline.system.files import write_json

SEAL = "sha256"  # the key of the checksum, beside the content


def seal(content: Mapping[str, Any]) -> dict[str, Any]:
    """The content with its seal. The seal depends on values alone: not on the order of keys, or on tuples and lists."""
    return {**content, SEAL: _checksum(content)}


def unseal(content: object) -> dict[str, Any]:
    """The content without its seal.

    Raises:
        ValueError: it has no seal, or another content than it was sealed with.
    """
    if not isinstance(content, dict) or SEAL not in content:
        raise ValueError("it has no checksum")
    rest = {key: value for key, value in content.items() if key != SEAL}
    if content[SEAL] != _checksum(rest):
        raise ValueError("its checksum differs")
    return rest


def write_sealed(path: Path, content: Mapping[str, Any]) -> None:
    """Write content as JSON under its seal, in one step.

    Raises:
        ValueError: it contains a NaN or an infinity.
    """
    write_json(path, seal(content))


def read_sealed(path: Path, again: str) -> dict[str, Any]:
    """Read what `write_sealed` wrote.

    Args:
        path: of the file.
        again: what to do if it is missing or damaged, as in "run the download step again".

    Raises:
        UserError: the file is missing, damaged, or was changed since it was written.
    """
    try:
        with reading(path, again, "damaged or of another version of vaeline"):
            return unseal(json.loads(path.read_bytes()))
    except FileNotFoundError as error:
        raise UserError(f"There is no {path}; {again}.") from error


def _checksum(content: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
