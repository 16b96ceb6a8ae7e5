"""A sealed file is read only as it was written."""

import json
from pathlib import Path

import pytest

from tests.system.flipped import flipped_in_every_byte
from vaeline.system.errors import UserError
from vaeline.system.sealed_files import read_sealed, seal, unseal, write_sealed

CONTENT = {"of": {"variant": "cvae", "seed": 3}, "values": [1.5, None, "é"]}


def test_content_is_read_as_it_was_written(tmp_path: Path) -> None:
    write_sealed(tmp_path / "a.json", CONTENT)
    assert read_sealed(tmp_path / "a.json", "write it again") == CONTENT


def test_order_and_tuples_change_no_seal() -> None:
    assert seal({"a": (1, 2), "b": 3})["sha256"] == seal({"b": 3, "a": [1, 2]})["sha256"]


def test_numbers_as_keys_read_back(tmp_path: Path) -> None:
    write_sealed(tmp_path / "a.json", {"by_seed": {10: 0.5, 9: 1.5}})
    assert read_sealed(tmp_path / "a.json", "write it again") == {"by_seed": {"10": 0.5, "9": 1.5}}


def test_a_flipped_bit_is_noticed_in_every_byte(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    write_sealed(path, CONTENT)
    for place in flipped_in_every_byte(path):
        try:
            same = read_sealed(path, "write it again") == CONTENT  # a blank that became another blank
        except UserError as error:
            same = "a.json is damaged" in str(error) and "write it again" in str(error)
        assert same, place


@pytest.mark.parametrize("content", ["", "[", "[1]", "{}", json.dumps(CONTENT), "[" * 100_000, '{"sha256": 1}'])
def test_other_content_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "a.json").write_text(content)
    with pytest.raises(UserError, match=r"a\.json is damaged .*; write it again"):
        read_sealed(tmp_path / "a.json", "write it again")


def test_an_absent_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"There is no .*a\.json; write it again"):
        read_sealed(tmp_path / "a.json", "write it again")


def test_a_changed_value_breaks_the_seal() -> None:
    with pytest.raises(ValueError, match="its checksum differs"):
        unseal(seal(CONTENT) | {"values": []})
