"""Files of tensors in the safetensors format, written whole, with what they are of, under a seal."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import safetensors.torch
from torch import Tensor

from vaeline.system.errors import reading_ours
from vaeline.system.files import write_bytes
from vaeline.system.sealed_files import seal
from vaeline.system.tensor_headers import ABOUT, about_in

TENSORS = "tensors_sha256"


class TensorFile(NamedTuple):
    """The content of a file of tensors."""

    tensors: dict[str, Tensor]
    about: dict[str, Any]  # what the tensors are of, as JSON gives it back
    sha256: str  # of the file


def write_tensors(path: Path, tensors: Mapping[str, Tensor], about: Mapping[str, Any]) -> None:
    """Write tensors with what they are of, in one step. The same content gives the same bytes."""
    sealed = seal({**about, TENSORS: checksum(tensors)})
    write_bytes(path, serialised(tensors, {ABOUT: json.dumps(sealed, sort_keys=True)}))


def serialised(tensors: Mapping[str, Tensor], metadata: dict[str, str] | None = None) -> bytes:
    """Tensors in the safetensors format. safetensors itself would write to a temporary file that outlives a kill."""
    return safetensors.torch.save({name: tensor.contiguous() for name, tensor in tensors.items()}, metadata)


def read_tensors(path: Path, again: str) -> TensorFile:
    """Read what `write_tensors` wrote.

    Args:
        path: of the file.
        again: what to do if it is missing or damaged, as in "run `...` again".

    Raises:
        UserError: the file is missing, cannot be read, is damaged, or was changed since it was written.
    """
    with reading_ours(path, again):
        content = path.read_bytes()
        size = int.from_bytes(content[:8], "little")
        about = about_in(content[8 : 8 + size])
        tensors = safetensors.torch.load(content)
        if about.pop(TENSORS) != checksum(tensors):
            raise ValueError("the checksum of its tensors differs")
        return TensorFile(tensors, about, hashlib.sha256(content).hexdigest())


def joined(groups: Mapping[str, Mapping[str, Tensor]]) -> dict[str, Tensor]:
    """Tensors of several groups as those of one file: each name begins with its group, which has no full stop."""
    return {f"{group}.{name}": tensor for group, tensors in groups.items() for name, tensor in tensors.items()}


def parted(tensors: Mapping[str, Tensor]) -> dict[str, dict[str, Tensor]]:
    """What `joined` made one of.

    Raises:
        KeyError: a tensor is of no group.
    """
    found: dict[str, dict[str, Tensor]] = {}
    for whole, tensor in tensors.items():
        group, dot, name = whole.partition(".")
        if not dot:
            raise KeyError(whole)
        found.setdefault(group, {})[name] = tensor
    return found


def checksum(tensors: Mapping[str, Tensor]) -> str:
    """SHA-256 of tensors and their names, whatever the order and the device."""
    digest = hashlib.sha256()
    for name in sorted(tensors):
        array = tensors[name].detach().cpu().contiguous().numpy()
        digest.update(f"{name} {array.dtype} {array.shape}\n".encode())
        digest.update(array.data if array.size else b"")
    return digest.hexdigest()
