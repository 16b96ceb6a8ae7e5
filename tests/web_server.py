"""A web server on this machine, which gives files in part, and fails as it is told."""

from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler
from pathlib import Path

STATUS = range(400, 600)  # of answers that refuse


@dataclass
class WebServer:
    """What the server gives, and what it was asked for."""

    folder: Path  # whose files it gives
    address: str = ""  # of the folder
    faults: list[int | str] = field(
        default_factory=list
    )  # of the next answers: a status, bytes after which to break off, or an address to send to
    asked: list[str | None] = field(default_factory=list)  # the range of each request
    in_parts: bool = True  # whether it gives ranges
    says_length: bool = True  # whether an answer says how long it is


class Handler(BaseHTTPRequestHandler):
    """Answers one request."""

    def __init__(self, server: WebServer, *arguments: object) -> None:
        self.ours = server
        super().__init__(*arguments)  # type: ignore[arg-type]

    def do_GET(self) -> None:
        """Give the file, or do the next fault."""
        self.ours.asked.append(wanted := self.headers["Range"])
        fault = self.ours.faults.pop(0) if self.ours.faults else ""
        path = self.ours.folder / self.path[1:]
        if isinstance(fault, str) and fault:
            self._answer(302, b"", Location=fault)
        elif fault in STATUS:
            self._answer(fault, b"not now")
        elif not path.is_file():
            self._answer(404, b"no such file")
        else:
            self._give(path.read_bytes(), wanted, fault or None)

    def _give(self, content: bytes, wanted: str | None, most: int | None) -> None:
        if not wanted or not self.ours.in_parts:
            return self._answer(200, content, most)
        start = int(wanted.removeprefix("bytes=").rstrip("-"))
        if start >= len(content):
            return self._answer(416, b"")
        return self._answer(
            206, content[start:], most, **{"Content-Range": f"bytes {start}-{len(content) - 1}/{len(content)}"}
        )

    def _answer(self, status: int, content: bytes, most: int | None = None, **headers: str) -> None:
        self.send_response(status)
        length = {"Content-Length": str(len(content))} if self.ours.says_length else {}
        for name, value in {**headers, **length}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content[:most])

    def log_message(self, *words: object) -> None:
        """Print nothing."""


def handler(server: WebServer) -> partial[Handler]:
    """What http.server makes of each request."""
    return partial(Handler, server)
