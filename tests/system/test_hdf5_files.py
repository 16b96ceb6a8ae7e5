"""HDF5 files appear whole or not at all."""

import subprocess
import sys
from pathlib import Path

import h5py
import pytest

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


def test_a_file_that_another_program_writes_is_called_open_not_damaged(tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    with created(path) as file:
        file["x"] = 1
    write = f"import h5py; file = h5py.File({str(path)!r}, 'a'); print(flush=True); input()"
    with subprocess.Popen([sys.executable, "-c", write], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as writer:
        assert writer.stdout and writer.stdout.readline()
        with pytest.raises(UserError, match="is open for writing in another program"), opened(path):
            pass
        writer.communicate(b"\n")
    with h5py.File(path), opened(path) as file:
        assert file["x"][()] == 1


def test_a_file_is_read_where_the_file_system_has_no_locks(tmp_path: Path) -> None:
    """Another process holds a lock that no reader can get, as on a file system that grants none."""
    path = tmp_path / "a.h5"
    with created(path) as file:
        file["x"] = 1
    hold = (
        f"import fcntl; file = open({str(path)!r}, 'a'); fcntl.flock(file, fcntl.LOCK_EX); print(flush=True); input()"
    )
    with subprocess.Popen([sys.executable, "-c", hold], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout and holder.stdout.readline()
        with opened(path) as file:
            assert file["x"][()] == 1
        holder.communicate(b"\n")
