"""SVHN: digits of 32x32 in colour, cut out of the house numbers of Street View (Netzer et al., 2011).

The 73,257 + 26,032 images of `train_32x32.mat` and `test_32x32.mat` are downloaded, or read from a folder; a part of them
is enough. The 531,131 easier images of `extra_32x32.mat` are not used.
"""

import sys
from pathlib import Path

import numpy as np

from vaeline.data import copies, web
from vaeline.data.checksums import fingerprint
from vaeline.data.labels import of_classes
from vaeline.data.raw_images import Loader, RawImages
from vaeline.data.sets import _matlab
from vaeline.study.schema import Dataset
from vaeline.system.errors import UserError, reading

MIRROR = "https://ufldl.stanford.edu/housenumbers/"  # the authors'
MD5 = {  # as torchvision has them
    "train_32x32.mat": "e26dedcc434d2e4c54c9b2d4a06d8373",
    "test_32x32.mat": "eb5a983be6a315427106f1b164d9cef3",
}
FILES = " and ".join(MD5)
IMAGES = 73_257 + 26_032


def download(dataset: Dataset, folder: Path) -> None:
    """Bring the files that `folder` lacks, 246 MB in total.

    Raises:
        UserError: a file cannot be downloaded.
    """
    for name, md5 in MD5.items():
        if not (folder / name).is_file():
            print(f"download: {MIRROR}{name} to {folder}.", file=sys.stderr)
            instead = f"set dataset.source to a folder that holds {FILES}"
            web.download(MIRROR + name, folder / name, instead, f"md5:{md5}")


def read(dataset: Dataset, folder: Path) -> RawImages:
    """Read both files; there is no official validation split.

    Raises:
        UserError: a file is missing or damaged, or does not have this format.
    """
    paths = [_existing(folder, name) for name in MD5]
    (train, train_digits), (test, test_digits) = map(_read_file, paths)
    images, count = np.concatenate([train, test]), len(train) + len(test)  # (n, 3, 32, 32)
    ids = [f"train-{index}" for index in range(len(train))] + [f"test-{index}" for index in range(len(test))]
    same = copies.of_arrays(images)
    missing = [f"{count:,} of SVHN's {IMAGES:,} images are here; {IMAGES - count:,} are missing."] * (count < IMAGES)
    return RawImages(
        images=images,
        labels=of_classes("digit", [str(digit) for digit in range(10)], np.concatenate([train_digits, test_digits])),
        ids=ids,
        files={path.name: fingerprint(path) for path in paths},
        official=np.repeat(["train", "test"], [len(train), len(test)]),
        copies=same,
        notes=missing + copies.note(ids, same),
    )


def _existing(folder: Path, name: str) -> Path:
    if not (folder / name).is_file():
        raise UserError(
            f"{folder} holds no {name}; SVHN is {FILES}: set dataset.source to a folder that holds both, or to `download`."
        )
    return folder / name


def _read_file(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """The images of a file, uint8, (n, 3, 32, 32), contiguous, and the digit in each, (n,)."""
    images, numbers = _load(path)
    if images.dtype != np.uint8 or images.shape[:-1] != (32, 32, 3) or numbers.shape != images.shape[-1:]:
        raise _other(path, f"X of {images.dtype}, {images.shape}, and y of {numbers.size:,} values")
    if numbers.dtype.kind not in "uif":
        raise _other(path, f"y of {numbers.dtype}")
    strange = numbers[~np.isin(numbers, range(1, 11))]
    if strange.size:
        raise _other(path, f"{strange[0]} in y")
    return np.ascontiguousarray(images.transpose(3, 2, 0, 1)), numbers.astype(np.int64) % 10


def _load(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """X of a MATLAB file, and y as a vector."""
    size = path.stat().st_size
    with reading(
        path, "remove it and get it again", f"a damaged file of {size:,} bytes, or no MATLAB file of version 5"
    ):
        content = _matlab.read_arrays(path.read_bytes(), ("X", "y"))
    if not {"X", "y"} <= content.keys():
        raise _other(path, "no X or no y")
    return content["X"], content["y"].ravel()


def _other(path: Path, came: str) -> UserError:
    return UserError(
        f"{path} holds {came}; SVHN's files hold X, uint8 of (32, 32, 3, N), and y, N numbers from 1 to 10 (the digit 0); "
        "remove it and get it again."
    )


LOADER = Loader(read=read, download=download)
