"""SVHN in a folder: the digit 0, the order of axes, damaged files, downloads, and a real subset."""

import hashlib
from pathlib import Path

import h5py
import numpy as np
import pytest
from scipy.io import loadmat, savemat

from tests.data.sets.sources import WEB_PAGE, write_files, write_svhn
from tests.web_server import WebServer
from vaeline.data import raw_images
from vaeline.data.sets import svhn
from vaeline.study.schema import Dataset
from vaeline.system.errors import UserError

REAL = Path(__file__).parents[3] / ".." / "shared" / "data" / "svhn-10k"
PIXELS = np.zeros((32, 32, 3, 5), np.uint8)
DIGITS = np.ones((5, 1), np.uint8)


def dataset(folder: Path) -> Dataset:
    return Dataset(id="numbers", name="svhn", size=32, source=str(folder))


def test_ten_is_the_digit_zero(tmp_path: Path) -> None:
    raw = raw_images.read(dataset(write_svhn(tmp_path)))
    assert raw.labels.names == ["digit"] and raw.labels.values == [[str(digit) for digit in range(10)]]
    assert raw.labels.codes[:12, 0].tolist() == [1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1, 2]


def test_splits_equal_the_official_splits(tmp_path: Path) -> None:
    raw = raw_images.read(dataset(write_svhn(tmp_path)))
    assert raw.official is not None and raw.official.tolist() == ["train"] * 30 + ["test"] * 10
    assert raw.ids[29:31] == ["train-29", "test-0"]


def test_pixels_keep_row_column_and_colour(tmp_path: Path) -> None:
    pixels = PIXELS.copy()
    pixels[5, 9, 2, 3] = 200
    savemat(write_svhn(tmp_path) / "train_32x32.mat", {"X": pixels, "y": DIGITS})
    raw = raw_images.read(dataset(tmp_path))
    images = raw.images
    assert isinstance(images, np.ndarray) and images.dtype == np.uint8 and images.flags.c_contiguous
    assert raw.copies is not None and raw.copies.tolist() == [0, 0, 0, 3, 0, *range(5, 15)]
    assert raw.notes[1] == "3 of 15 images are exact copies of another one, such as train-0 and train-1."
    assert np.argwhere(images[:5]).tolist() == [[3, 2, 5, 9]] and images[3, 2, 5, 9] == 200


def test_a_partial_copy_reports_how_many_images_are_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    manifest = raw_images.fetch(dataset(write_svhn(tmp_path)))
    assert manifest["notes"] == ["40 of SVHN's 99,289 images are here; 99,249 are missing."]
    monkeypatch.setattr(svhn, "IMAGES", 40)
    assert raw_images.fetch(dataset(tmp_path))["notes"] == []


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    (write_svhn(tmp_path) / "test_32x32.mat").unlink()
    with pytest.raises(UserError, match="holds no test_32x32.mat; SVHN is train_32x32.mat and test_32x32.mat"):
        raw_images.read(dataset(tmp_path))


@pytest.mark.parametrize("kept", [0, 100, 128, 133, 1000, -4000, -1])
def test_a_truncated_file_is_named(tmp_path: Path, kept: int) -> None:
    path = write_svhn(tmp_path) / "train_32x32.mat"
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(UserError, match="train_32x32.mat .*; remove it and get it again"):
        raw_images.read(dataset(tmp_path))


@pytest.mark.parametrize("place", [126, 128, 140, 5000, -20])
def test_an_altered_file_is_named(tmp_path: Path, place: int) -> None:
    path = write_svhn(tmp_path) / "train_32x32.mat"
    content = bytearray(path.read_bytes())
    content[place] ^= 0xFF
    path.write_bytes(content)
    with pytest.raises(
        UserError, match=r"train_32x32.mat is a damaged file of [\d,]+ bytes, or no MATLAB file of version 5"
    ):
        raw_images.read(dataset(tmp_path))


@pytest.mark.parametrize("content", [WEB_PAGE, b"Dear reader", bytes(400), b"x" * 400])
def test_a_file_of_another_format_is_refused(tmp_path: Path, content: bytes) -> None:
    write_files(write_svhn(tmp_path), {"train_32x32.mat": content})
    with pytest.raises(
        UserError, match="train_32x32.mat is a damaged file of .* bytes, or no MATLAB file of version 5 .*; remove it"
    ):
        raw_images.read(dataset(tmp_path))


def test_the_newer_matlab_format_is_refused(tmp_path: Path) -> None:
    path = write_svhn(tmp_path) / "train_32x32.mat"
    with h5py.File(path, "w", userblock_size=512) as file:
        file["X"] = PIXELS.T
    content = bytearray(path.read_bytes())
    content[:128] = b"MATLAB 7.3 MAT-file".ljust(124) + b"\x00\x02IM"
    path.write_bytes(content)
    with pytest.raises(UserError, match="no MATLAB file of version 5 .it is of version 7.3."):
        raw_images.read(dataset(tmp_path))


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ({"X": PIXELS}, "no X or no y"),
        ({"y": DIGITS}, "no X or no y"),
        ({"images": PIXELS, "y": DIGITS}, "no X or no y"),
        ({"X": PIXELS.astype(float), "y": DIGITS}, "X of float64"),
        ({"X": PIXELS.transpose(3, 0, 1, 2), "y": DIGITS}, r"X of uint8, \(5, 32, 32, 3\)"),
        ({"X": PIXELS[..., 0], "y": DIGITS}, r"X of uint8, \(32, 32, 3\)"),
        ({"X": PIXELS[:28, :28], "y": DIGITS}, r"X of uint8, \(28, 28, 3, 5\)"),
        ({"X": PIXELS, "y": DIGITS[:4]}, r"X of uint8, \(32, 32, 3, 5\), and y of 4 values"),
        ({"X": PIXELS, "y": DIGITS * 0}, "0 in y; .* from 1 to 10 .the digit 0."),
        ({"X": PIXELS, "y": DIGITS * 11}, "11 in y"),
        ({"X": PIXELS, "y": DIGITS * 1.5}, "1.5 in y"),
        ({"X": PIXELS, "y": DIGITS * np.nan}, "nan in y"),
    ],
)
def test_a_file_with_other_variables_is_refused(tmp_path: Path, content: dict[str, np.ndarray], sentence: str) -> None:
    savemat(write_svhn(tmp_path) / "train_32x32.mat", content)
    with pytest.raises(UserError, match=f"train_32x32.mat holds {sentence}.*; remove it and get it again"):
        raw_images.read(dataset(tmp_path))


@pytest.mark.parametrize(
    ("digits", "sentence"), [(np.array([list("12345")]).T, "y is characters"), (DIGITS.astype(object), "y is cells")]
)
def test_labels_that_are_no_numbers_are_refused(tmp_path: Path, digits: np.ndarray, sentence: str) -> None:
    savemat(write_svhn(tmp_path) / "train_32x32.mat", {"X": PIXELS, "y": digits})
    with pytest.raises(UserError, match=f"train_32x32.mat is .*{sentence}.*; remove it and get it again"):
        raw_images.read(dataset(tmp_path))


@pytest.fixture
def mirror(web_server: WebServer, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A stand-in for Stanford's server, whose files have their own md5."""
    mirror = write_svhn(web_server.folder)
    for name in svhn.MD5:
        monkeypatch.setitem(svhn.MD5, name, hashlib.md5((mirror / name).read_bytes()).hexdigest())
    monkeypatch.setattr(svhn, "MIRROR", web_server.address)
    return mirror


def test_only_missing_files_are_downloaded(
    tmp_path: Path, mirror: Path, capsys: pytest.CaptureFixture[str], web_server: WebServer
) -> None:
    folder = tmp_path / "raw"
    svhn.download(dataset(folder), folder)
    assert len(raw_images.read(dataset(folder)).ids) == 40
    assert capsys.readouterr().err.count("download: ") == 2
    svhn.download(dataset(folder), folder)
    assert len(web_server.asked) == 2 and not capsys.readouterr().err


@pytest.mark.parametrize(("content", "sentence"), [(WEB_PAGE, "a web page"), (b"cut", "3 bytes without its known")])
def test_a_wrong_download_leaves_no_file(tmp_path: Path, mirror: Path, content: bytes, sentence: str) -> None:
    write_files(mirror, {"train_32x32.mat": content})
    with pytest.raises(UserError, match=f"train_32x32.mat gave {sentence}.*set dataset.source to a folder"):
        svhn.download(dataset(tmp_path / "raw"), tmp_path / "raw")
    assert not list((tmp_path / "raw").iterdir())


def test_a_download_that_fails_names_other_sources(tmp_path: Path, mirror: Path) -> None:
    (mirror / "train_32x32.mat").unlink()
    with pytest.raises(UserError, match="cannot be downloaded .* folder that holds train_32x32.mat and test_32x32.mat"):
        svhn.download(dataset(tmp_path / "raw"), tmp_path / "raw")


@pytest.mark.skipif(not REAL.is_dir(), reason="needs the SVHN subset in ../shared/data/svhn-10k")
def test_the_real_subset_is_read_completely() -> None:
    raw = raw_images.read(dataset(REAL))
    assert isinstance(raw.images, np.ndarray) and raw.images.shape == (10_000, 3, 32, 32)
    assert raw.notes == ["10,000 of SVHN's 99,289 images are here; 89,289 are missing."]
    assert raw.labels.codes[:5, 0].tolist() == [5, 2, 1, 0, 6]
    assert np.bincount(raw.labels.codes[8_000:, 0]).tolist() == [141, 432, 312, 215, 169, 177, 157, 162, 118, 117]
    pixels = loadmat(REAL / "test_32x32.mat")["X"]
    assert raw.images[8_004, :, 20, 7].tolist() == pixels[20, 7, :, 4].tolist()
