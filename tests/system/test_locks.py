"""A lock keeps a second process out."""

import errno
import fcntl
import os
from pathlib import Path

import pytest

from vaeline.system.errors import UserError
from vaeline.system.locks import locked


def test_a_lock_excludes_others_until_released(tmp_path: Path) -> None:
    refused = pytest.raises(UserError, match="Another process is training in")
    with locked(tmp_path, "training"), refused, locked(tmp_path, "training"):
        pass
    with locked(tmp_path, "training"):
        pass


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS])
def test_a_file_system_without_locks_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    def refuse(file: object, how: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, "flock", refuse)
    refused = pytest.raises(UserError, match=r"\.lock cannot be locked \(.*\), because its file system has no locks")
    with refused, locked(tmp_path, "training"):
        pass
