"""A lock keeps a second process out."""

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
