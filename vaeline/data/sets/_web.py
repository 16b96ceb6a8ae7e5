"""Files from plain web addresses: whole and checked, or not there."""

import hashlib
import http.client
import urllib.request
from pathlib import Path

from vaeline.data.archive import is_web_page
from vaeline.system.errors import UserError
from vaeline.system.files import written_aside


def download(url: str, path: Path, instead: str, md5: str | None = None) -> None:
    """Bring a file.

    Args:
        url: of the file.
        path: where it is put, once it is whole.
        instead: what else the user can do, for errors.
        md5: that it must have; None where that is looked at later.

    Raises:
        UserError: it cannot be had, something else came in its place, or the disk is full.
    """
    with written_aside(path) as aside:
        try:
            with urllib.request.urlopen(url, timeout=60) as response:
                content = response.read()
        except (OSError, http.client.HTTPException) as error:
            raise UserError(f"{url} cannot be downloaded ({error}); try again, or {instead}.") from error
        if md5 and hashlib.md5(content, usedforsecurity=False).hexdigest() != md5:
            came = "a web page" if is_web_page(content[:64]) else f"{len(content):,} bytes without its known checksum"
            raise UserError(f"{url} gave {came}; try again, or {instead}.")
        aside.write_bytes(content)
