"""Files of tensors and plain values, written whole under a checksum that is verified when they are read."""

import hashlib
import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from vaeline.system.errors import UserError, reason
from vaeline.system.files import json_sha256, plain_json, written_aside
from vaeline.system.project import main_worktree

State = dict[str, Any]  # tensors, numbers, text, lists and dicts of these


def state_folder(name: str = "") -> Path:
    """The folder of the state files of a run, or of all; it is no declared output, which engines would delete."""
    return main_worktree() / "checkpoints" / name


def plain(content: Mapping[str, object]) -> Any:
    """The content as JSON gives it back, with lists for tuples: what decides a state is written and compared like this."""
    return json.loads(plain_json(content))


def key_of(decides: Mapping[str, object]) -> str:
    """A short name for all that decides the content of a file."""
    return json_sha256(decides)[:16]


def write_state(path: Path, state: State) -> None:
    """Write a state whole, under its checksum."""
    buffer = io.BytesIO()
    torch.save(state, buffer)
    content = buffer.getbuffer()  # a copy would be one more of weights and moments in memory
    with written_aside(path) as aside, aside.open("wb") as file:
        file.write(hashlib.sha256(content).digest())
        file.write(content)


def read_state(path: Path) -> State:
    """Read what `write_state` wrote.

    Raises:
        UserError: the file is damaged, or is no state.
    """
    content = memoryview(path.read_bytes())
    if hashlib.sha256(content[32:]).digest() != content[:32]:
        raise unusable(path, "is damaged (its checksum differs)")
    try:
        state = torch.load(io.BytesIO(content[32:]), weights_only=True)
    except Exception as error:  # torch raises errors of many types
        raise unusable(path, f"is no state of vaeline ({reason(error)})") from error
    if not isinstance(state, dict):
        raise unusable(path, "is no state of vaeline")
    return state


def unusable(path: Path, why: str) -> UserError:
    """The error for a state file that cannot be used, as in `is damaged`."""
    return UserError(f"{path} {why}; delete it, and its content is computed again.")
