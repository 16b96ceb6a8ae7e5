"""An example of a user's own images: scikit-learn's digits as 1,797 PNG files, with a table beside them.

The files are written by the download step and read as those of an image_folder. The table says of each image its digit, whether
the digit is even (yes or no), the thickness of the stroke (a number), and the split.
"""

import csv
import io
from pathlib import Path

import numpy as np
from PIL import Image

from vaeline.data.raw_images import Loader
from vaeline.data.sets import image_folder
from vaeline.study.schema import Dataset
from vaeline.system.files import write_text

BLACKEST = 16  # the largest level of scikit-learn's digits
HEADER = ["file", "digit", "even", "thickness", "split"]
SPLITS = ["train"] * 7 + ["validation"] + ["test"] * 2  # of ten images in a row


def download(dataset: Dataset, folder: Path) -> None:
    """Write the images, and then the table, unless they are there already."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    folder = folder / "digits"
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for number, (levels, digit) in enumerate(zip(digits.images, digits.target, strict=True)):
        name = f"{number:04}.png"
        _write(folder / name, _png(levels))
        even, thickness = "no" if digit % 2 else "yes", f"{levels.mean() / BLACKEST:.3f}"
        rows.append([name, str(digit), even, thickness, SPLITS[number % len(SPLITS)]])
    table = io.StringIO()
    csv.writer(table, lineterminator="\n").writerows([HEADER, *rows])
    write_text(folder.parent / "digits.csv", table.getvalue())


def _png(levels: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(np.rint(levels * 255 / BLACKEST).astype(np.uint8)).save(file, "PNG")
    return file.getvalue()


def _write(path: Path, content: bytes) -> None:
    """Write a file that is missing or that a killed process left in part."""
    if not path.is_file() or path.read_bytes() != content:
        path.write_bytes(content)


LOADER = Loader(read=image_folder.read, download=download)
