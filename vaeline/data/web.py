"""Files from web addresses, by pooch: they appear whole and checked, or not at all.

A transfer that breaks off is tried again, and goes on where it stopped, also in a later run: what has come so far is kept beside
the file, in `.<name>.partial`. Only encrypted addresses are asked, also behind a redirection.
"""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vaeline.data.archive import is_web_page
from vaeline.system.errors import UserError, reason
from vaeline.system.files import disk_full, is_disk_full, written_aside
from vaeline.system.progress import Bar

if TYPE_CHECKING:
    import requests

SCHEMES = ["https://"]
AGAIN = 3  # times that a transfer is tried again, after 1, 2 and 3 seconds
SECONDS = 60  # without a byte, after which a transfer has broken off
CHUNK = 2**18  # bytes that are written at once; fewer that came before a break are lost
BUSY = {408, 425, 429}  # answers of the kind 4xx that may be others later


def download(url: str, path: Path, instead: str, checksum: str | None) -> None:
    """Download a file.

    Args:
        url: of the file.
        path: of the new file.
        instead: what else the user can do, for errors.
        checksum: that the file must have, as in `md5:...` or `sha256:...`. None if none is known: then nothing that a former run
            left is used.

    Raises:
        UserError: it cannot be downloaded, another file came, or the disk is full.
    """
    import pooch  # takes a while, with requests

    path.parent.mkdir(parents=True, exist_ok=True)
    transfer = _Transfer(path, instead)
    if checksum is None:
        transfer.partial.unlink(missing_ok=True)
    pooch.get_logger().setLevel("ERROR")  # it would name temporary files
    with written_aside(path) as aside:
        names = {"registry": {aside.name: checksum}, "urls": {aside.name: url}}
        source = pooch.create(aside.parent, base_url="", retry_if_failed=AGAIN, **names)
        try:
            source.fetch(aside.name, downloader=transfer)
        except (OSError, ValueError) as error:  # OSError is also what all errors of requests are
            if is_disk_full(error):
                raise disk_full(path) from error
            raise UserError(f"{url} {transfer.fault or _fault(error)}; try again, or {instead}.") from error


class _Transfer:
    """A downloader for pooch, which goes on with a file that has come in part.

    Args:
        path: of the file in the end.
        instead: what else the user can do, for errors.
    """

    def __init__(self, path: Path, instead: str) -> None:
        self.partial = path.with_name(f".{path.name}.partial")
        self.fault = ""  # of a file that came whole, and turned out to have another checksum
        self._name, self._instead, self._tries = path.name, instead, 0

    def __call__(self, url: str, output_file: str, pooch: Any) -> None:
        """Bring the rest of the file, and give it the name that pooch wants, under which pooch checks it."""
        if self._tries:
            print(
                f"download: {self._name}: the transfer failed; try {self._tries + 1} of {AGAIN + 1}.", file=sys.stderr
            )
        self._tries, self.fault = self._tries + 1, ""
        done = self.partial.stat().st_size if self.partial.exists() else 0
        with _encrypted() as session, _asked(session, url, done) as response:
            if 400 <= response.status_code < 500 and response.status_code not in {416, *BUSY}:
                raise UserError(f"{url} cannot be downloaded ({_answer(response)}); {self._instead}.")
            if _is_of_another_file(response, done):
                self.partial.unlink(missing_ok=True)
                raise ValueError("the rest of another file came")
            response.raise_for_status()
            self._write(response, done if response.status_code == 206 else 0)
        self.fault = f"gave {self.partial.stat().st_size:,} bytes without its known checksum"
        self.partial.replace(output_file)

    def _write(self, response: "requests.Response", done: int) -> None:
        """Write what comes behind the bytes that are there.

        Raises:
            UserError: a web page comes.
        """
        length = response.headers.get("Content-Length")
        total = None if length is None else done + int(length)
        with (
            self.partial.open("r+b" if done else "wb") as file,
            Bar(self._name, total, done, "bytes") as bar,
        ):
            file.seek(done)
            for chunk in response.iter_content(CHUNK):
                if not file.tell() and is_web_page(chunk[:64]):
                    self.partial.unlink()
                    raise UserError(f"{response.url} gave a web page; try again, or {self._instead}.")
                file.write(chunk)
                bar.advance(len(chunk))
            file.truncate()


def _encrypted() -> "requests.Session":
    """A session that knows no other addresses than those of SCHEMES, so that none redirects to another."""
    import requests

    session = requests.Session()
    plain = session.get_adapter("https://")
    session.adapters.clear()
    for scheme in SCHEMES:
        session.mount(scheme, plain)
    return session


def _asked(session: "requests.Session", url: str, done: int) -> "requests.Response":
    """The answer to a request of all bytes of a file but the first `done`, as they are stored."""
    import requests

    wanted = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={done}-"} if done else {})
    try:
        return session.get(url, headers=wanted, stream=True, timeout=SECONDS)
    except requests.exceptions.InvalidSchema as error:
        raise UserError(f"{url} is not encrypted, or leads to an address that is not; only https is asked.") from error


def _is_of_another_file(response: "requests.Response", done: int) -> bool:
    """Whether a server has no bytes behind those that have come, or answers with other bytes. (200 is the whole file again.)"""
    starts = response.headers.get("Content-Range", "").startswith(f"bytes {done}-")
    return response.status_code == 416 or (response.status_code == 206 and not starts)


def _answer(response: "requests.Response") -> str:
    return f"the answer is {response.status_code} {response.reason}"


def _fault(error: Exception) -> str:
    """Why a transfer failed, in words. The messages of requests are those of four libraries inside each other."""
    import requests

    if isinstance(error, requests.exceptions.HTTPError) and error.response is not None:
        return f"cannot be downloaded ({_answer(error.response)})"
    if isinstance(error, requests.exceptions.Timeout):
        return f"cannot be downloaded (nothing came in {SECONDS} seconds)"
    if isinstance(error, requests.exceptions.ConnectionError | requests.exceptions.ChunkedEncodingError):
        return "cannot be downloaded (there is no connection, or it broke off)"
    return f"cannot be downloaded ({reason(error)})"
