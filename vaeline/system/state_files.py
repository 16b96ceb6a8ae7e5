"""Files of tensors and plain values, written whole under a checksum that is verified when they are read."""

import hashlib
import io
from pathlib import Path
from typing import Any

import torch

from vaeline.system.errors import UserError
from vaeline.system.files import written_aside

FOLDER = "checkpoints"  # of the project: such files, outside every declared output
State = dict[str, Any]  # tensors, numbers, text, lists and dicts of these


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
        UserError: the file is damaged.
    """
    content = memoryview(path.read_bytes())
    if hashlib.sha256(content[32:]).digest() != content[:32]:
        raise UserError(f"{path} is damaged (its checksum differs); delete it, and its content is computed again.")
    state: State = torch.load(io.BytesIO(content[32:]), weights_only=True)
    return state
