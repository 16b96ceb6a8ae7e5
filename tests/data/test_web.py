"""Downloads: broken off and continued, refused, wrong, and over encrypted addresses only."""

import hashlib
from pathlib import Path

import numpy as np
import pytest

from tests.data.sets.sources import WEB_PAGE
from tests.web_server import WebServer
from vaeline.data import web
from vaeline.system.errors import UserError
from vaeline.system.progress import Bar

CONTENT = np.random.default_rng(0).bytes(300_000)
MD5 = f"md5:{hashlib.md5(CONTENT).hexdigest()}"
INSTEAD = "bring a copy"


@pytest.fixture
def served(web_server: WebServer, monkeypatch: pytest.MonkeyPatch) -> WebServer:
    """A server of one file, of which every thousand bytes are kept as they come."""
    monkeypatch.setattr(web, "CHUNK", 1000)
    (web_server.folder / "images.bin").write_bytes(CONTENT)
    return web_server


def bring(server: WebServer, folder: Path, checksum: str | None = MD5) -> bytes:
    path = folder / "raw" / "images.bin"
    web.download(f"{server.address}images.bin", path, INSTEAD, checksum)
    assert [each.name for each in path.parent.iterdir()] == ["images.bin"]
    return path.read_bytes()


@pytest.mark.parametrize("checksum", [MD5, None])
def test_a_transfer_that_breaks_off_goes_on_where_it_stopped(
    served: WebServer, tmp_path: Path, checksum: str | None
) -> None:
    served.faults = [100_000, 50_000]
    assert bring(served, tmp_path, checksum) == CONTENT
    assert served.asked == [None, "bytes=100000-", "bytes=150000-"]


@pytest.mark.parametrize(("says_length", "total"), [(True, 300_000), (False, None)])
def test_progress_knows_the_size_that_the_server_says(
    says_length: bool, total: int | None, served: WebServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    totals: list[int | None] = []

    def bar(what: str, total: int | None, done: int, unit: str) -> Bar:
        totals.append(total)
        return Bar(what, total, done, unit)

    monkeypatch.setattr(web, "Bar", bar)
    served.says_length = says_length
    assert bring(served, tmp_path) == CONTENT and totals == [total]


def test_a_later_run_goes_on_where_one_stopped(served: WebServer, tmp_path: Path) -> None:
    served.faults = [100_000, 503, 503, 503]
    with pytest.raises(
        UserError, match=r"images.bin cannot be downloaded \(the answer is 503 .*; try again, or bring a copy"
    ):
        bring(served, tmp_path)
    assert not (tmp_path / "raw" / "images.bin").exists()
    assert bring(served, tmp_path) == CONTENT
    assert served.asked[-1] == "bytes=100000-"


def test_a_later_run_without_a_checksum_begins_again(served: WebServer, tmp_path: Path) -> None:
    left = tmp_path / "raw" / ".images.bin.partial"
    left.parent.mkdir()
    left.write_bytes(b"?" * 100)
    assert bring(served, tmp_path, None) == CONTENT and served.asked == [None]


@pytest.mark.parametrize("left", [b"?" * 100, b"?" * 300_000, b"?" * 400_000], ids=["shorter", "as long", "longer"])
@pytest.mark.parametrize("in_parts", [True, False])
def test_the_rest_of_another_file_is_not_used(served: WebServer, tmp_path: Path, left: bytes, in_parts: bool) -> None:
    served.in_parts = in_parts
    partial = tmp_path / "raw" / ".images.bin.partial"
    partial.parent.mkdir()
    partial.write_bytes(left)
    assert bring(served, tmp_path) == CONTENT
    assert len(served.asked) == (2 if in_parts else 1)


def test_a_busy_server_is_asked_again(served: WebServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    served.faults = [503, 429]
    assert bring(served, tmp_path) == CONTENT
    assert "download: images.bin: the transfer failed; try 2 of 4." in capsys.readouterr().err


def test_a_file_that_is_not_there_is_asked_for_once(served: WebServer, tmp_path: Path) -> None:
    (served.folder / "images.bin").unlink()
    with pytest.raises(UserError, match=r"cannot be downloaded \(the answer is 404 Not Found\); bring a copy"):
        bring(served, tmp_path)
    assert len(served.asked) == 1


def test_a_file_with_another_checksum_is_refused(served: WebServer, tmp_path: Path) -> None:
    with pytest.raises(
        UserError, match="images.bin gave 300,000 bytes without its known checksum; try again, or bring"
    ):
        bring(served, tmp_path, f"sha256:{'0' * 64}")
    assert not list((tmp_path / "raw").iterdir())


def test_a_web_page_is_named_and_leaves_no_file(served: WebServer, tmp_path: Path) -> None:
    (served.folder / "images.bin").write_bytes(WEB_PAGE)
    with pytest.raises(UserError, match="images.bin gave a web page; try again, or bring a copy"):
        bring(served, tmp_path)
    assert not list((tmp_path / "raw").iterdir()) and len(served.asked) == 1


def test_a_machine_without_a_network_is_told_so(served: WebServer, tmp_path: Path) -> None:
    served.address = "http://127.0.0.1:9/"
    with pytest.raises(UserError, match=r"cannot be downloaded \(there is no connection, or it broke off\); try again"):
        bring(served, tmp_path)


def test_only_encrypted_addresses_are_asked(served: WebServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    served.faults = ["file:///etc/passwd", "ftp://127.0.0.1/images.bin"]
    for _ in range(2):
        with pytest.raises(UserError, match="leads to an address that is not; only https is asked"):
            bring(served, tmp_path)
    monkeypatch.undo()
    assert web.SCHEMES == ["https://"]
    with pytest.raises(UserError, match="http://.*images.bin is not encrypted"):
        bring(served, tmp_path)
    assert len(served.asked) == 2
