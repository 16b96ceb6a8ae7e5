"""Fashion-MNIST in a folder: compressed, plain, damaged and downloaded files."""

import gzip
import hashlib
import struct
from pathlib import Path

import numpy as np
import pytest

from tests.data.sets.sources import WEB_PAGE, idx_files, write_fashion_mnist, write_files
from tests.web_server import WebServer
from vaeline.data import raw_images
from vaeline.data.sets import _idx, fashion_mnist
from vaeline.data.splits import deal
from vaeline.study import parts
from vaeline.study.schema import Dataset, Split
from vaeline.system.errors import UserError


def dataset(folder: Path) -> Dataset:
    return Dataset(id="fashion", name="fashion_mnist", size=28, source=str(folder))


@pytest.mark.parametrize("below", ["", "FashionMNIST/raw"])
def test_compressed_files_are_read_from_torchvisions_folder_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, below: str
) -> None:
    write_fashion_mnist(tmp_path / below, monkeypatch)
    raw = raw_images.read(dataset(tmp_path))
    assert isinstance(raw.images, np.ndarray) and raw.images.shape == (40, 1, 28, 28)
    assert raw.official is not None and raw.official.tolist() == ["train"] * 30 + ["test"] * 10
    assert raw.labels.names == ["article"]
    assert [raw.labels.values[0][code] for code in raw.labels.codes[28:32, 0]] == [
        "Bag", "Ankle boot", "T-shirt/top", "Trouser",
    ]  # fmt: skip


def test_uncompressed_files_are_read_by_their_headers(tmp_path: Path) -> None:
    raw = raw_images.read(dataset(write_files(tmp_path, idx_files())))
    content = idx_files()["t10k-images-idx3-ubyte"]
    assert isinstance(raw.images, np.ndarray) and raw.images[30:].tobytes() == content[16:]


def test_equal_images_come_into_one_random_split(tmp_path: Path) -> None:
    """Each image of the test file is among the first ones for training."""
    files = idx_files()
    name, header = "t10k-images-idx3-ubyte", 16
    files[name] = files[name][:header] + files["train-images-idx3-ubyte"][header : len(files[name])]
    raw = raw_images.read(dataset(write_files(tmp_path, files)))
    dealt = deal(40, Split(method="random", validation=0.2, test=0.2), raw.official, copies=raw.copies)
    assert isinstance(raw.images, np.ndarray)
    shown = [{raw.images[row].tobytes() for row in rows} for rows in dealt.values()]
    assert sum(map(len, shown)) == len(set.union(*shown)) == 30
    assert raw.notes == ["10 of 40 images are exact copies of another one, such as train-0 and t10k-0."]


def test_uncompressed_mnist_files_are_recognised_and_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name, content = "t10k-images-idx3-ubyte", idx_files()["t10k-images-idx3-ubyte"]
    monkeypatch.setitem(_idx.MNIST, name, hashlib.md5(content).hexdigest())
    with pytest.raises(UserError, match=r"is a file of MNIST, not of Fashion-MNIST; .* set dataset.name to mnist"):
        raw_images.read(dataset(write_files(tmp_path, idx_files())))


def test_a_file_with_a_checksum_is_preferred(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_files(write_fashion_mnist(tmp_path, monkeypatch), dict.fromkeys(idx_files(), b"cut"))
    assert all(name.endswith(".gz") for name in raw_images.read(dataset(tmp_path)).files)


def test_compressed_files_of_different_images_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_fashion_mnist(tmp_path, monkeypatch) / "t10k-images-idx3-ubyte.gz"
    path.write_bytes(gzip.compress(gzip.decompress(path.read_bytes())[:-1] + b"?"))
    with pytest.raises(UserError, match=r"is not Fashion-MNIST's t10k-images-idx3-ubyte: its [\d,]+ bytes do not have"):
        raw_images.read(dataset(tmp_path))


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("train-images-idx3-ubyte", idx_files()["train-images-idx3-ubyte"][:-1], "23,535 bytes, .* promises 23,536"),
        ("train-images-idx3-ubyte", idx_files()["train-images-idx3-ubyte"] + b"?", "23,537 bytes, .* promises 23,536"),
        (
            "train-images-idx3-ubyte",
            idx_files()["train-labels-idx1-ubyte"],
            "not begin like an idx file of 3 dimensions",
        ),
        ("train-labels-idx1-ubyte", b"\0\0\x08\x01\0", "not begin like an idx file of 1 dimensions"),
        ("train-labels-idx1-ubyte", b"", "train-labels-idx1-ubyte is damaged .* not begin like an idx file of 1 dim"),
        ("train-labels-idx1-ubyte", WEB_PAGE, "train-labels-idx1-ubyte is damaged .*; remove it and get it again"),
        ("train-labels-idx1-ubyte", idx_files()["t10k-labels-idx1-ubyte"], r"\(30, 28, 28\) with 10 labels up to 9"),
        ("t10k-labels-idx1-ubyte", struct.pack(">2I", 2049, 10) + bytes(range(1, 11)), "10 labels up to 10; .*0 to 9"),
        ("t10k-images-idx3-ubyte", struct.pack(">4I", 2051, 10, 8, 8) + bytes(640), r"\(10, 8, 8\).*28x28"),
        (
            "t10k-images-idx3-ubyte",
            struct.pack(">4I", 2051, *[2**32 - 1] * 3),
            "16 bytes, but its header promises 79,228,162,",
        ),
        ("t10k-images-idx3-ubyte", struct.pack(">4I", 2051, 0, 28, 28), r"\(0, 28, 28\) with 10 labels"),
    ],
    ids=[
        "cut",
        "longer",
        "labels",
        "cut in the header",
        "empty",
        "web page",
        "fewer labels",
        "ten",
        "smaller images",
        "vast",
        "none",
    ],
)
def test_a_damaged_uncompressed_file_is_named(tmp_path: Path, name: str, content: bytes, sentence: str) -> None:
    write_files(tmp_path, idx_files() | {name: content})
    with pytest.raises(UserError, match=sentence):
        raw_images.read(dataset(tmp_path))


def test_only_missing_files_are_downloaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, web_server: WebServer
) -> None:
    write_fashion_mnist(web_server.folder, monkeypatch)
    monkeypatch.setattr(fashion_mnist, "MIRROR", web_server.address)
    folder = tmp_path / "raw"
    fashion_mnist.download(dataset(folder), folder)
    assert len(raw_images.read(dataset(folder)).ids) == 40
    fashion_mnist.download(dataset(folder), folder)
    assert len(web_server.asked) == 4


@pytest.mark.parametrize(("content", "sentence"), [(WEB_PAGE, "a web page"), (b"cut", "3 bytes without its known")])
def test_a_wrong_download_leaves_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes, sentence: str, web_server: WebServer
) -> None:
    write_files(web_server.folder, {"train-images-idx3-ubyte.gz": content})
    monkeypatch.setattr(fashion_mnist, "MIRROR", web_server.address)
    with pytest.raises(UserError, match=f"train-images-idx3-ubyte.gz gave {sentence}.*set dataset.source to a folder"):
        fashion_mnist.download(dataset(tmp_path / "raw"), tmp_path / "raw")
    assert not list((tmp_path / "raw").iterdir())


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x1f\x8b",
        b"\x1f\x8b\x08" + bytes(7) + b"\xff" * 40,
        gzip.compress(b"x" * 1000)[:-9],
        gzip.compress(bytes(101_000_000), 1),
    ],
    ids=["empty", "two bytes", "no deflate", "cut", "bomb"],
)
def test_a_damaged_compressed_file_is_named(tmp_path: Path, content: bytes) -> None:
    files = {name: data for name, data in idx_files().items() if name != "train-images-idx3-ubyte"}
    write_files(tmp_path, files | {"train-images-idx3-ubyte.gz": content})
    with pytest.raises(
        UserError, match=r"train-images-idx3-ubyte.gz is (damaged \(|not Fashion).*; remove it and get it again"
    ):
        raw_images.read(dataset(tmp_path))


@pytest.mark.parametrize("name", parts.names("sets"))
def test_every_address_of_a_download_is_encrypted(name: str) -> None:
    assert getattr(parts.module("sets", name), "MIRROR", "https://").startswith("https://")
