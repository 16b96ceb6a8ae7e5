"""Images on disk are read row by row."""

from pathlib import Path

import numpy as np
import pytest

from vaeline.data.on_disk import OnDisk
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
