"""The four idx files of MNIST (LeCun et al., 1998), and of data sets in the same format."""

import gzip
import hashlib
import struct
from io import BytesIO
from math import prod
from pathlib import Path

import numpy as np

from vaeline.data import copies, web
from vaeline.data.checksums import fingerprint
from vaeline.data.labels import of_classes
from vaeline.data.raw_images import RawImages
from vaeline.system.errors import UserError, reading

FILES = {  # file -> dimensions of its array
    "train-images-idx3-ubyte": 3,
    "train-labels-idx1-ubyte": 1,
    "t10k-images-idx3-ubyte": 3,
    "t10k-labels-idx1-ubyte": 1,
}
MNIST = {  # md5 of MNIST's uncompressed files; the other data sets use the same file names
    "train-images-idx3-ubyte": "6bbc9ace898e44ae57da46a324031adb",
    "train-labels-idx1-ubyte": "a25bea736e30d166cdddb491f175f624",
    "t10k-images-idx3-ubyte": "2646ac647ad5339dbf082846283269ea",
    "t10k-labels-idx1-ubyte": "27ae3e4e09519cfbb04c329615203637",
}
UINT8 = 8  # the type code of idx
IMAGE = (28, 28)
MOST_BYTES = 100_000_000  # of an uncompressed file; the largest has 47 million


def download(folder: Path, title: str, mirror: str, compressed: dict[str, str]) -> None:
    """Bring the files that `folder` lacks.

    Args:
        folder: for the files.
        title: of the data set.
        mirror: the address in front of the files' names.
        compressed: the md5 of the files of this mirror, by names that end in `.gz`.

    Raises:
        UserError: a file cannot be downloaded.
    """
    instead = f"set dataset.source to a folder that holds {', '.join(FILES)} (each may end in .gz)"
    for file in FILES:
        name = f"{file}.gz"
        if _find(folder, title, file, compressed) is None:
            web.download(mirror + name, folder / name, instead, f"md5:{compressed[name]}")


def read(folder: Path, title: str, md5: dict[str, str], column: str, classes: list[str]) -> RawImages:
    """Read and check the four files; the official test split is `t10k`, and there is no official validation split.

    Args:
        folder: of the files, plain or compressed, or of torchvision's folder.
        title: of the data set.
        md5: of the files, by name; a name with `.gz` is of the compressed bytes, one without of the uncompressed bytes.
        column: the name of the labels.
        classes: the names of their values.

    Raises:
        UserError: a file is missing, damaged, or another data set's.
    """
    paths = {file: _existing(folder, title, file, md5) for file in FILES}
    train, train_codes, test, test_codes = (_read_file(path, title, file, md5) for file, path in paths.items())
    _check_labels(folder, title, train, train_codes, classes)
    _check_labels(folder, title, test, test_codes, classes)
    images = np.concatenate([train, test])[:, None]  # (n, 1, 28, 28)
    ids = [f"train-{index}" for index in range(len(train))] + [f"t10k-{index}" for index in range(len(test))]
    same = copies.of_arrays(images)
    return RawImages(
        images=images,
        labels=of_classes(column, classes, np.concatenate([train_codes, test_codes])),
        ids=ids,
        files={path.name: fingerprint(path) for path in paths.values()},
        official=np.repeat(["train", "test"], [len(train), len(test)]),
        copies=same,
        notes=copies.note(ids, same),
    )


def _find(folder: Path, title: str, file: str, md5: dict[str, str]) -> Path | None:
    """The file in `folder` or in torchvision's folder below it, plain or compressed; preferably one with a known checksum."""
    names = sorted((file, f"{file}.gz"), key=lambda name: name not in md5)
    places = [where / name for where in (folder, folder / title.replace("-", "") / "raw") for name in names]
    return next((place for place in places if place.is_file()), None)


def _existing(folder: Path, title: str, file: str, md5: dict[str, str]) -> Path:
    path = _find(folder, title, file, md5)
    if path is None:
        raise UserError(f"{folder} holds no {file} or {file}.gz; {title} is the four files {', '.join(FILES)}.")
    return path


def _read_file(path: Path, title: str, file: str, md5: dict[str, str]) -> np.ndarray:
    """The array in a file, uint8: (n, height, width) or (n,)."""
    with reading(path, "remove it and get it again"):
        stored = path.read_bytes()
        content = _uncompressed(stored) if path.suffix == ".gz" else stored
        if title != "MNIST" and _digest(content) == MNIST[file]:
            raise UserError(
                f"{path} is a file of MNIST, not of {title}; get the files of {title}, or set dataset.name to mnist."
            )
        checked, kind, name = (content, "uncompressed bytes", file) if file in md5 else (stored, "bytes", path.name)
        if name in md5 and _digest(checked) != md5[name]:
            raise UserError(
                f"{path} is not {title}'s {file}: its {len(checked):,} {kind} do not have the known checksum; "
                "remove it and get it again, or use images of your own as image_folder."
            )
        return _decode(content, FILES[file])


def _uncompressed(stored: bytes) -> bytes:
    with gzip.open(BytesIO(stored)) as file:
        content = file.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise ValueError(f"it unpacks to over {MOST_BYTES:,} bytes")
    return content


def _digest(content: bytes) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


def _decode(content: bytes, dimensions: int) -> np.ndarray:
    """The array of an idx file: two zeros, the type, the number of dimensions, the dimensions, the values."""
    start = 4 + 4 * dimensions
    if len(content) < start or content[:4] != bytes([0, 0, UINT8, dimensions]):
        raise ValueError(f"it does not begin like an idx file of {dimensions} dimensions")
    shape = struct.unpack(f">{dimensions}I", content[4:start])
    if len(content) != start + prod(shape):
        raise ValueError(f"it has {len(content):,} bytes, but its header promises {start + prod(shape):,}")
    return np.frombuffer(content, np.uint8, offset=start).reshape(shape)


def _check_labels(folder: Path, title: str, images: np.ndarray, codes: np.ndarray, classes: list[str]) -> None:
    if (
        not len(images)
        or images.shape[1:] != IMAGE
        or len(codes) != len(images)
        or codes.max(initial=0) >= len(classes)
    ):
        raise UserError(
            f"{folder} holds images of shape {images.shape} with {len(codes):,} labels up to {codes.max(initial=0)}; "
            f"{title} has images of 28x28 with a label of 0 to {len(classes) - 1} each, so get its files again."
        )
