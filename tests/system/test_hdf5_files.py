"""HDF5 files appear whole or not at all."""

import subprocess
import sys
from pathlib import Path

import h5py
import pytest

from vaeline.system.hdf5_files import created


def test_a_file_appears_when_it_is_complete(tmp_path: Path) -> None:
    with created(tmp_path / "a.h5") as file:
        file["x"] = 1
        assert not (tmp_path / "a.h5").exists()
    with h5py.File(tmp_path / "a.h5") as file:
        assert file["x"][()] == 1


def test_an_error_leaves_no_file(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), created(tmp_path / "a.h5") as file:
        file["x"] = 1 / 0
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("limit", [1_000, 40_000, 81_000, 82_000])
def test_a_full_disk_is_reported_and_leaves_no_file(tmp_path: Path, limit: int) -> None:
    """Runs in a process of its own, which HDF5 may crash when it closes the file. A limit on file sizes stands for a full disk."""
    code = f"""
import sys; sys.path.insert(0, {str(Path(__file__).parents[2])!r})
import errno, io, resource, signal, numpy as np
from pathlib import Path
from typing import Any
from vaeline.data import store
from vaeline.data.facts import Facts
from vaeline.system.errors import UserError
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit}))
errno.EDQUOT = errno.EFBIG
facts = Facts("a", (1, 10, 10), 256, (0, 1), ["digit"], [["0", "1"]])
images = (np.ones((1, 1, 10, 10), np.uint8) for _ in range(800))
try:
    store.write(Path("full.h5"), facts, {{"train": store.Stream(images, np.zeros((800, 1), int), ["x"] * 800)}})
except UserError as error:
    print(error)
"""
    ended = subprocess.run([sys.executable, "-c", code], check=False, cwd=tmp_path, capture_output=True, text=True)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.startswith("The disk is full while writing full.h5")
    assert not list(tmp_path.iterdir())
