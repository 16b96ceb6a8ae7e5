"""A file of tensors is read only as it was written."""

from pathlib import Path

import pytest
import torch

from tests.system.flipped import flipped_in_every_byte
from vaeline.system.errors import UserError
from vaeline.system.files import sha256
from vaeline.system.tensor_files import read_tensors, write_tensors

TENSORS = {"weights": torch.arange(6.0).reshape(2, 3).T, "counts": torch.tensor([1, 2]), "none": torch.zeros(0)}
ABOUT = {"seed": 3, "shape": [1, 8, 8]}


def test_tensors_are_read_as_they_were_written(tmp_path: Path) -> None:
    write_tensors(tmp_path / "a.safetensors", TENSORS, ABOUT)
    tensors, about, digest = read_tensors(tmp_path / "a.safetensors", "write it again")
    assert digest == sha256(tmp_path / "a.safetensors")
    assert about == ABOUT and tensors.keys() == TENSORS.keys()
    assert all(torch.equal(tensors[name], TENSORS[name]) for name in TENSORS)


def test_the_same_content_gives_the_same_bytes(tmp_path: Path) -> None:
    write_tensors(tmp_path / "a", TENSORS, ABOUT)
    write_tensors(tmp_path / "b", dict(reversed(TENSORS.items())), dict(reversed(ABOUT.items())))
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert len(list(tmp_path.iterdir())) == 2


def test_a_flipped_bit_is_noticed_in_every_byte(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    write_tensors(path, TENSORS, ABOUT)
    for place in flipped_in_every_byte(path):
        try:
            tensors, about, _ = read_tensors(path, "write it again")
            same = about == ABOUT and all(torch.equal(tensors[name], TENSORS[name]) for name in TENSORS)
        except UserError as error:
            same = "a.safetensors is damaged" in str(error)
        assert same, place


@pytest.mark.parametrize("content", [b"", b"\xff" * 64, b"\x02\0\0\0\0\0\0\0{}", b"\x02\0\0\0\0\0\0\0[]"])
def test_other_content_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a").write_bytes(content)
    with pytest.raises(UserError, match=r"a is damaged .*; write it again"):
        read_tensors(tmp_path / "a", "write it again")


def test_an_absent_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"There is no .*a; write it again"):
        read_tensors(tmp_path / "a", "write it again")
