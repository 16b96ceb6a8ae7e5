"""Files from plain web addresses, which appear whole and checked, or not at all."""

import hashlib
import http.client
import urllib.request
from pathlib import Path

from vaeline.data.archive import is_web_page
from vaeline.system.errors import UserError
from vaeline.system.files import written_aside


def download(url: str, path: Path, instead: str, md5: str | None = None) -> None:
    """Download a file.

    Args:
        url: of the file.
        path: of the new file.
        instead: what else the user can do, for errors.
        md5: that the file must have; None if it is checked later.

    Raises:
        UserError: it cannot be downloaded, another file came, or the disk is full.
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
