"""MNIST: 60,000 + 10,000 handwritten digits of 28x28 (LeCun et al., 1998), downloaded or in a folder of idx files."""

import gzip
import hashlib
import http.client
import struct
import urllib.request
import zlib
from pathlib import Path

import numpy as np

from vaeline.archive import fingerprint
from vaeline.datasets import RawImages
from vaeline.errors import UserError
from vaeline.files import written_aside
from vaeline.labels import of_classes
from vaeline.params import Dataset

MIRROR = "https://ossci-datasets.s3.amazonaws.com/mnist/"  # torchvision's
MD5 = {  # of the uncompressed bytes: the gzip wrappers of different mirrors differ
    "train-images-idx3-ubyte": "6bbc9ace898e44ae57da46a324031adb",
    "train-labels-idx1-ubyte": "a25bea736e30d166cdddb491f175f624",
    "t10k-images-idx3-ubyte": "2646ac647ad5339dbf082846283269ea",
    "t10k-labels-idx1-ubyte": "27ae3e4e09519cfbb04c329615203637",
}


def download(folder: Path) -> None:
    """Bring the files that `folder` lacks, 11 MB in all."""
    for name in MD5:
        if _find(folder, name) is None:
            _download(MIRROR + name + ".gz", folder / f"{name}.gz")


def _download(url: str, path: Path) -> None:
    with written_aside(path) as aside:
        try:
            with urllib.request.urlopen(url, timeout=60) as response:
                content = response.read()
        except (OSError, http.client.HTTPException) as error:
            raise UserError(
                f"{url} cannot be downloaded ({error}); try again, or set dataset.source to a folder that holds {', '.join(MD5)} "
                "(each may end in .gz)."
            ) from error
        aside.write_bytes(content)


def read(dataset: Dataset, folder: Path) -> RawImages:
    """Read and check the four files; the official test split is `t10k`, and there is no official validation split.

    Raises:
        UserError: a file is missing, damaged, or not MNIST's.
    """
    paths = {name: _existing(folder, name) for name in MD5}
    train, train_digits, test, test_digits = (_read_idx(path, name) for name, path in paths.items())
    return RawImages(
        images=np.concatenate([train, test])[:, None],  # (70000, 1, 28, 28)
        labels=of_classes("digit", [str(digit) for digit in range(10)], np.concatenate([train_digits, test_digits])),
        ids=[f"train-{index}" for index in range(len(train))] + [f"t10k-{index}" for index in range(len(test))],
        files={path.name: fingerprint(path) for path in paths.values()},
        official=np.repeat(["train", "test"], [len(train), len(test)]),
    )


def _find(folder: Path, name: str) -> Path | None:
    """The file, plain or compressed, in `folder` or where torchvision puts it below."""
    places = [where / file for where in (folder, folder / "MNIST" / "raw") for file in (name, f"{name}.gz")]
    return next((place for place in places if place.is_file()), None)


def _existing(folder: Path, name: str) -> Path:
    path = _find(folder, name)
    if path is None:
        raise UserError(f"{folder} holds no {name} or {name}.gz; MNIST is the four files {', '.join(MD5)}.")
    return path


def _read_idx(path: Path, name: str) -> np.ndarray:
    """The array in an idx file, uint8: (n, height, width) or (n,)."""
    try:
        content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    except (OSError, EOFError, zlib.error) as error:
        raise UserError(f"{path} is damaged ({error}); remove it and get it again.") from error
    if hashlib.md5(content, usedforsecurity=False).hexdigest() != MD5[name]:
        raise UserError(
            f"{path} is not MNIST's {name}: its {len(content):,} uncompressed bytes do not have the known checksum; "
            "remove it and get it again, or bring images of your own as image_folder."
        )
    dimensions = content[3]  # after two zeros and 8, the type code of uint8
    shape = struct.unpack(f">{dimensions}I", content[4 : 4 + 4 * dimensions])
    return np.frombuffer(content, np.uint8, offset=4 + 4 * dimensions).reshape(shape)
