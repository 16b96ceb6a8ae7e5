"""Handwritten digits of scikit-learn: 1,797 images of 8x8 with 17 levels of grey, embedded in that package.

They are the test images of the UCI set 'Optical Recognition of Handwritten Digits' (Alpaydin and Kaynak, 1998).
"""

import hashlib
from pathlib import Path

import numpy as np

from vaeline.data.labels import of_classes
from vaeline.data.raw_images import Loader, RawImages
from vaeline.study.schema import Dataset

LEVELS = 17  # a pixel is the number of dark pixels among 16


def read(dataset: Dataset, folder: Path) -> RawImages:
    """Read the digits from scikit-learn; there is no official split, and `folder` is not used."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    images = digits.images.astype(np.uint8)[:, None]  # (1797, 1, 8, 8)
    content = images.tobytes() + digits.target.astype(np.uint8).tobytes()
    return RawImages(
        images=images,
        labels=of_classes("digit", [str(digit) for digit in range(10)], digits.target),
        ids=[str(index) for index in range(len(images))],
        files={"sklearn.datasets.load_digits": {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}},
        levels=LEVELS,
    )


LOADER = Loader(read=read)
