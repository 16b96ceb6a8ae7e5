"""HDF5 files appear whole or not at all."""

import errno
import subprocess
import sys
from pathlib import Path

import h5py
import pytest

from vaeline.system import hdf5_files
from vaeline.system.errors import UserError
from vaeline.system.hdf5_files import created, opened


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


def test_a_full_disk_is_the_cause_of_what_fails_after_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    full = OSError(errno.ENOSPC, "No space left on device")
    monkeypatch.setattr(hdf5_files._NeverFailing, "error", full)
    with pytest.raises(UserError, match="The disk is full while writing"), created(tmp_path / "a.h5"):
        raise OSError("Can't read what could not be written")
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


def test_a_file_that_is_replaced_while_it_is_opened_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def replaced(raw: object) -> None:
        with created(path) as file:
            file["other"] = [1]

    path = tmp_path / "a"
    with created(path) as file:
        file["one"] = [1]
    monkeypatch.setattr(hdf5_files, "_check_structure", replaced)
    with (
        pytest.raises(UserError, match="was replaced while it was opened; run again"),
        opened(path, "a store", "again"),
    ):
        pass


def test_a_folder_in_the_place_of_a_file_is_called_a_folder(tmp_path: Path) -> None:
    refused = pytest.raises(UserError, match=f"^{tmp_path} is a folder, where a file belongs; move the folder away")
    with refused, opened(tmp_path, "a store", "make it again"):
        pass
