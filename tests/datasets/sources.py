"""Tiny sources of every data set, in each layout that users bring."""

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

from vaeline.datasets import mnist

ATTRIBUTES = ["Bald", "Male", "Smiling", "Young"]
WEB_PAGE = b"<!DOCTYPE html><html><head><title>Google Drive - Quota exceeded</title></head></html>"


def picture(seed: int, height: int = 22, width: int = 18, mode: str = "RGB") -> Image.Image:
    """A smooth image: noise of 3x3 blown up."""
    noise = np.random.default_rng(seed).integers(0, 256, (3, 3, 3), dtype=np.uint8)
    return Image.fromarray(noise).resize((width, height), Image.Resampling.BILINEAR).convert(mode)


def encoded(image: Image.Image, kind: str = "JPEG", **options: object) -> bytes:
    """The bytes of an image file."""
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


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
    """Write files by their names below `folder`."""
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


def _partition(row: int, rows: int) -> int:
    return 0 if row < 0.8 * rows else 1 if row < 0.9 * rows else 2


def write_mnist(folder: Path, monkeypatch: pytest.MonkeyPatch, suffix: str = ".gz") -> Path:
    """30 + 10 images in the four idx files, whose checksums stand in for MNIST's."""
    generator = np.random.default_rng(0)
    for part, count in (("train", 30), ("t10k", 10)):
        images = (
            struct.pack(">4I", 2051, count, 28, 28) + generator.integers(0, 256, count * 784, dtype=np.uint8).tobytes()
        )
        labels = struct.pack(">2I", 2049, count) + (np.arange(count, dtype=np.uint8) % 10).tobytes()
        for name, content in ((f"{part}-images-idx3-ubyte", images), (f"{part}-labels-idx1-ubyte", labels)):
            write_files(folder, {name + suffix: gzip.compress(content, mtime=0) if suffix else content})
            monkeypatch.setitem(mnist.MD5, name, hashlib.md5(content).hexdigest())
    return folder


def write_class_folders(folder: Path, each: int = 10) -> Path:
    """Two classes, in files of several kinds."""
    files = {
        f"{kind}/{number}.{suffix.lower()}": encoded(picture(number), suffix)
        for kind in ("cat", "dog")
        for number, suffix in zip(range(each), ["JPEG", "PNG", "BMP"] * each, strict=False)
    }
    return write_files(folder, files)


SOURCES: dict[str, Callable[[Path, pytest.MonkeyPatch], Path]] = {
    "digits": lambda folder, monkeypatch: folder,
    "image_folder": lambda folder, monkeypatch: write_class_folders(folder),
    "mnist": write_mnist,
    "celeba": lambda folder, monkeypatch: write_celeba(folder),
}
