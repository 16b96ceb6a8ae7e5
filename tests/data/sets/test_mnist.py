"""MNIST in a folder: compressed or not, checked, damaged, and the real files."""

import gzip
from pathlib import Path

import numpy as np
import pytest

from tests.data.sets.sources import write_mnist
from tests.web_server import WebServer
from vaeline.data import raw_images
from vaeline.data.sets import mnist
from vaeline.study.schema import Dataset
from vaeline.system.errors import UserError

REAL = Path(__file__).parents[3] / ".." / "shared" / "data" / "mnist"


def dataset(folder: Path) -> Dataset:
    return Dataset(id="mnist", name="mnist", size=28, source=str(folder))


@pytest.mark.parametrize("suffix", ["", ".gz"])
@pytest.mark.parametrize("below", ["", "MNIST/raw"])
def test_compressed_and_plain_files_are_read_from_either_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str, below: str
) -> None:
    write_mnist(tmp_path / below, monkeypatch, suffix)
    raw = raw_images.read(dataset(tmp_path))
    assert isinstance(raw.images, np.ndarray) and raw.images.shape == (40, 1, 28, 28)
    assert raw.official is not None and raw.official.tolist() == ["train"] * 30 + ["test"] * 10
    assert raw.labels.codes[28:32, 0].tolist() == [8, 9, 0, 1]


def test_a_missing_file_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (write_mnist(tmp_path, monkeypatch) / "t10k-labels-idx1-ubyte.gz").unlink()
    with pytest.raises(UserError, match="holds no t10k-labels-idx1-ubyte"):
        raw_images.read(dataset(tmp_path))


def test_a_truncated_file_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_mnist(tmp_path, monkeypatch) / "train-images-idx3-ubyte.gz"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(UserError, match="train-images-idx3-ubyte.gz is damaged"):
        raw_images.read(dataset(tmp_path))


def test_different_images_under_the_same_name_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_mnist(tmp_path, monkeypatch) / "train-images-idx3-ubyte.gz"
    path.write_bytes(gzip.compress(gzip.decompress(path.read_bytes())[:-1] + b"?"))
    with pytest.raises(UserError, match="is not MNIST's train-images-idx3-ubyte"):
        raw_images.read(dataset(tmp_path))


def test_only_missing_files_are_downloaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, web_server: WebServer
) -> None:
    write_mnist(web_server.folder, monkeypatch)
    monkeypatch.setattr(mnist, "MIRROR", web_server.address)
    folder = tmp_path / "raw"
    mnist.download(dataset(folder), folder)
    assert sorted(path.name for path in folder.iterdir()) == sorted(mnist.COMPRESSED)
    mnist.download(dataset(folder), folder)
    assert len(web_server.asked) == 4


def test_a_download_that_fails_names_other_sources(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, web_server: WebServer
) -> None:
    monkeypatch.setattr(mnist, "MIRROR", web_server.address)
    folder = tmp_path / "raw"
    with pytest.raises(UserError, match="cannot be downloaded .* set dataset.source to a folder"):
        mnist.download(dataset(folder), folder)
    assert not list(folder.iterdir())


@pytest.mark.skipif(not REAL.is_dir(), reason="needs MNIST in ../shared/data/mnist")
def test_real_mnist_has_its_known_counts() -> None:
    raw = raw_images.read(dataset(REAL))
    assert isinstance(raw.images, np.ndarray) and raw.images.shape == (70_000, 1, 28, 28)
    assert np.bincount(raw.labels.codes[60_000:, 0]).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    assert raw.labels.codes[:5, 0].tolist() == [5, 0, 4, 1, 9]
