"""Images on disk are read row by row."""

from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest

from vaeline.data.on_disk import BlockSums, OnDisk
from vaeline.system.errors import UserError


@pytest.mark.parametrize(("dtype", "shape"), [(np.uint8, (12, 3, 4, 5)), (np.float32, (12, 2))])
def test_rows_are_those_of_the_array(tmp_path: Path, dtype: type, shape: tuple[int, ...]) -> None:
    values = np.random.default_rng(0).integers(0, 256, shape).astype(dtype)
    (tmp_path / "a").write_bytes(b"header" + values.tobytes())
    there = OnDisk(tmp_path / "a", (tmp_path / "a").open("rb", buffering=0), len(b"header"), shape, np.dtype(dtype))
    rows = np.array([11, 0, 5, 5])
    assert len(there) == 12 and there.shape == shape
    assert there.take(rows).dtype == dtype and (there.take(rows) == values.take(rows, axis=0)).all()


def test_a_new_file_under_the_same_name_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(bytes(range(10)))
    there = OnDisk(path, path.open("rb", buffering=0), 0, (10, 1), np.dtype(np.uint8))
    path.with_name("b").write_bytes(bytes(10))
    path.with_name("b").replace(path)
    assert there.take(np.array([7])).item() == 7


def test_a_file_that_is_written_into_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(bytes(10))
    there = OnDisk(path, path.open("rb", buffering=0), 0, (10, 1), np.dtype(np.uint8))
    path.write_bytes(bytes(11))
    with pytest.raises(UserError, match="a was written into while this step read it"):
        there.take(np.array([7]))


def test_it_is_indexed_as_an_array(tmp_path: Path) -> None:
    values = np.arange(24, dtype=np.uint8).reshape(12, 2)
    (tmp_path / "a").write_bytes(values.tobytes())
    there = OnDisk(tmp_path / "a", (tmp_path / "a").open("rb", buffering=0), 0, (12, 2), np.dtype(np.uint8))
    some = there.select(np.array([3, 1, 7]))
    for index in (2, -1, slice(1, 3), [0, 2], np.array([True, False, True])):
        assert np.array_equal(some[index], values[[3, 1, 7]][index])
    assert np.array_equal(np.asarray(some.select(np.array([2, 0]))), values[[7, 3]])
    assert len(some) == 3 and some.shape == (3, 2) and some.nbytes == 6 and len(there) == 12
    with pytest.raises(IndexError):
        some[3]


def test_checksums_of_blocks_do_not_depend_on_the_pieces() -> None:
    rows, found = np.random.default_rng(0).integers(0, 256, (23, 3), dtype=np.uint8), set()
    for pieces in (1, 4, 23):
        sums = BlockSums(5)
        for piece in np.array_split(rows, pieces):
            sums.update(piece)
        found.add(sums.finish().tobytes())
    assert found == {b"".join(sha256(rows[start : start + 5].data).digest() for start in range(0, 23, 5))}
