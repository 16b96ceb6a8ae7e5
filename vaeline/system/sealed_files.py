"""JSON files under a seal: a checksum over all that the file says, by which a reader notices any change."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vaeline.system.errors import reading_ours
from vaeline.system.files import json_sha256, write_json

SEAL = "sha256"  # the key of the checksum, beside the content


def seal(content: Mapping[str, Any]) -> dict[str, Any]:
    """The content with its seal. The seal depends on values alone: not on the order of keys, or on tuples and lists."""
    return {**content, SEAL: json_sha256(content)}


def unseal(content: object) -> dict[str, Any]:
    """The content without its seal.

    Raises:
        ValueError: it has no seal, or another content than it was sealed with.
    """
    if not isinstance(content, dict) or SEAL not in content:
        raise ValueError("it has no checksum")
    rest = {key: value for key, value in content.items() if key != SEAL}
    if content[SEAL] != json_sha256(rest):
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
        UserError: the file is missing, cannot be read, is damaged, or was changed since it was written.
    """
    with reading_ours(path, again):
        return unseal(json.loads(path.read_bytes()))
