"""Tiny sources of every data set, in each layout that users have."""

import gzip
import hashlib
import io
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy.io import savemat

from vaeline.data.decoding import decode, fit
from vaeline.data.sets import dsprites, example_images, fashion_mnist, mnist
from vaeline.study.schema import Dataset

ATTRIBUTES = ["Bald", "Male", "Smiling", "Young"]
WEB_PAGE = b"<!DOCTYPE html><html><head><title>Google Drive - Quota exceeded</title></head></html>"


def picture(seed: int, height: int = 22, width: int = 18, mode: str = "RGB") -> Image.Image:
    """A smooth image: enlarged 3x3 noise."""
    noise = np.random.default_rng(seed).integers(0, 256, (3, 3, 3), dtype=np.uint8)
    return Image.fromarray(noise).resize((width, height), Image.Resampling.BILINEAR).convert(mode)


def encoded(image: Image.Image, kind: str = "JPEG", **options: object) -> bytes:
    """The bytes of an image file."""
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def brought(content: bytes, channels: int, size: int) -> np.ndarray:
    """An image file as the store holds it."""
    return fit(decode(content, channels)[np.newaxis], (size, size))[0]


def attributes(row: int) -> list[int]:
    """Bald is never true, Male for a half, Smiling for two thirds, Young for all."""
    return [-1, 1 if row % 2 else -1, 1 if row % 3 else -1, 1]


def write_zip(path: Path, files: dict[str, bytes]) -> None:
    """Write a zip archive that stores its files as they are, as CelebA's does."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)


def write_celeba(folder: Path, images: int = 20, rows: int = 20) -> Path:
    """The official layout; the last tenth of the rows is test, the tenth before it validation."""
    folder.mkdir(parents=True, exist_ok=True)
    names = [f"{row + 1:06}.jpg" for row in range(rows)]
    faces = {f"img_align_celeba/{row + 1:06}.jpg": encoded(picture(row)) for row in range(images)}
    write_zip(folder / "img_align_celeba.zip", faces)
    lines = [f"{name} {'  '.join(map(str, attributes(row)))}" for row, name in enumerate(names)]
    (folder / "list_attr_celeba.txt").write_text("\n".join([str(rows), " ".join(ATTRIBUTES) + " ", *lines, ""]))
    partition = [f"{name} {_partition(row, rows)}" for row, name in enumerate(names)]
    (folder / "list_eval_partition.txt").write_bytes("\r\n".join([*partition, ""]).encode())
    return folder


def write_kaggle_celeba(folder: Path, tables_inside: bool = False, unpacked: bool = False, rows: int = 20) -> Path:
    """Kaggle's layout: CSV tables, images two folders down, as one zip or unpacked."""
    folder.mkdir(parents=True, exist_ok=True)
    names = [f"{row + 1:06}.jpg" for row in range(rows)]
    lines = [",".join([name, *map(str, attributes(row))]) for row, name in enumerate(names)]
    tables = {
        "list_attr_celeba.csv": "\n".join([",".join(["image_id", *ATTRIBUTES]), *lines]).encode(),
        "list_eval_partition.csv": "\n".join(
            ["image_id,partition", *(f"{name},{_partition(row, rows)}" for row, name in enumerate(names))]
        ).encode(),
    }
    faces = {f"img_align_celeba/img_align_celeba/{name}": encoded(picture(row)) for row, name in enumerate(names)}
    write_files(folder, ({} if tables_inside else tables) | (faces if unpacked else {}))
    if not unpacked:
        write_zip(folder / "archive.zip", faces | (tables if tables_inside else {}))
    return folder


def write_files(folder: Path, files: dict[str, bytes]) -> Path:
    """Write files by their names below `folder`. A PNG image gets its name at its end, so that no two files are exact copies."""
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content + (name.encode() if content.startswith(b"\x89PNG") else b""))
    return folder


def _partition(row: int, rows: int) -> int:
    return 0 if row < 0.8 * rows else 1 if row < 0.9 * rows else 2


def idx_files(train: int = 30, test: int = 10) -> dict[str, bytes]:
    """Four idx files by their names: noise with the labels 0 to 9 in turn."""
    generator, files = np.random.default_rng(0), {}
    for part, count in (("train", train), ("t10k", test)):
        pixels = generator.integers(0, 256, count * 784, dtype=np.uint8)
        files[f"{part}-images-idx3-ubyte"] = struct.pack(">4I", 2051, count, 28, 28) + pixels.tobytes()
        codes = np.arange(count, dtype=np.uint8) % 10
        files[f"{part}-labels-idx1-ubyte"] = struct.pack(">2I", 2049, count) + codes.tobytes()
    return files


def write_mnist(folder: Path, monkeypatch: pytest.MonkeyPatch, suffix: str = ".gz") -> Path:
    """30 + 10 images in the four idx files, whose checksums stand in for MNIST's."""
    for name, content in idx_files().items():
        stored = gzip.compress(content, mtime=0) if suffix else content
        write_files(folder, {name + suffix: stored})
        monkeypatch.setitem(mnist.MD5, name, hashlib.md5(content).hexdigest())
        monkeypatch.setitem(mnist.COMPRESSED, f"{name}.gz", hashlib.md5(stored).hexdigest())
    return folder


def write_fashion_mnist(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """30 + 10 images in the four compressed idx files, whose checksums stand in for Fashion-MNIST's."""
    for name, content in idx_files().items():
        compressed = gzip.compress(content, mtime=0)
        write_files(folder, {f"{name}.gz": compressed})
        monkeypatch.setitem(fashion_mnist.MD5, f"{name}.gz", hashlib.md5(compressed).hexdigest())
    return folder


def write_svhn(folder: Path, train: int = 30, test: int = 10) -> Path:
    """Both files in MATLAB's form: noise with the digits 1 to 9 and 0, which is written 10, in turn."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, count in (("train", train), ("test", test)):
        pixels = np.random.default_rng(count).integers(0, 256, (32, 32, 3, count), dtype=np.uint8)
        digits = np.arange(count, dtype=np.uint8)[:, None] % 10 + 1
        savemat(folder / f"{name}_32x32.mat", {"X": pixels, "y": digits}, do_compression=True)
    return folder


def write_class_folders(folder: Path, each: int = 10) -> Path:
    """Two classes, in files of several kinds."""
    files = {
        f"{kind}/{number}.{suffix.lower()}": encoded(picture(number + start), suffix)
        for kind, start in (("cat", 0), ("dog", 100))
        for number, suffix in zip(range(each), ["JPEG", "PNG", "BMP"] * each, strict=False)
    }
    return write_files(folder, files)


def write_example_images(folder: Path, each: int = 60) -> Path:
    """The first images and the table that the download step writes, without the column of the split."""
    example_images.download(Dataset(id="tiny", name="example_images", size=8), folder)
    table = folder / "digits.csv"
    lines = table.read_text().splitlines()[: each + 1]
    table.write_text("".join(f"{line.rpartition(',')[0]}\n" for line in lines))
    for image in sorted((folder / "digits").iterdir())[each:]:
        image.unlink()
    return folder


def write_torchvision(folder: Path) -> Path:
    """The unpacked files of FashionMNIST below the root folder that torchvision is given."""
    write_files(folder / "FashionMNIST" / "raw", idx_files())
    return folder


def write_hugging_face(folder: Path, count: int = 12) -> Path:
    """A set with the splits train and test, of images with a class label, as `save_to_disk` writes it."""
    library = pytest.importorskip("datasets", reason="datasets is not installed")
    kinds = {"image": library.Image(), "animal": library.ClassLabel(names=["cat", "dog"])}
    splits = {}
    for split, start in (("train", 0), ("test", count)):
        rows = {
            "image": [{"bytes": encoded(picture(start + row), "PNG")} for row in range(count)],
            "animal": [row % 2 for row in range(count)],
        }
        splits[split] = library.Dataset.from_dict(rows, library.Features(kinds))
    library.DatasetDict(splits).save_to_disk(folder)
    return folder


def write_dsprites(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The sprites at 4 places in place of 1,024."""
    monkeypatch.setattr(dsprites, "PLACES", 2)
    return folder


SOURCES: dict[str, Callable[[Path, pytest.MonkeyPatch], Path]] = {
    "digits": lambda folder, monkeypatch: folder,
    "two_moons": lambda folder, monkeypatch: folder,
    "linear_gaussian": lambda folder, monkeypatch: folder,
    "shapes": lambda folder, monkeypatch: folder,
    "dsprites": write_dsprites,
    "image_folder": lambda folder, monkeypatch: write_class_folders(folder),
    "example_images": lambda folder, monkeypatch: write_example_images(folder),
    "mnist": write_mnist,
    "fashion_mnist": write_fashion_mnist,
    "svhn": lambda folder, monkeypatch: write_svhn(folder),
    "celeba": lambda folder, monkeypatch: write_celeba(folder),
    "torchvision": lambda folder, monkeypatch: write_torchvision(folder),
    "hugging_face": lambda folder, monkeypatch: write_hugging_face(folder),
}
OPTIONS = {"torchvision": {"class_name": "FashionMNIST"}}  # of those that have keys of their own which must be set
POINTS = {"two_moons", "linear_gaussian"}  # of them, those that are points rather than images
