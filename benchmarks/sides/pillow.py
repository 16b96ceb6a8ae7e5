"""Preprocessing with Pillow: images are resized one by one and written to an HDF5 file in blocks."""

import io
import tempfile
import zipfile
from pathlib import Path

import h5py
import numpy as np
from PIL import Image

from benchmarks.side import Work
from benchmarks.work import PREPROCESS, celeba


def preprocess() -> Work:
    """Resize photographs and write them to an HDF5 file."""
    source, size = celeba(PREPROCESS["images"]) / "img_align_celeba.zip", PREPROCESS["size"]
    path = Path(tempfile.mkdtemp()) / "images.h5"

    def work() -> float:
        with zipfile.ZipFile(source) as archive, h5py.File(path, "w") as file:
            names = archive.namelist()
            images = file.create_dataset("images", (len(names), 3, size, size), np.uint8)
            for start in range(0, len(names), 64):
                block = [_fitted(archive.read(name), size) for name in names[start : start + 64]]
                images[start : start + len(block)] = np.stack(block)
        return len(names)

    return work


def _fitted(encoded: bytes, size: int) -> np.ndarray:
    image = Image.open(io.BytesIO(encoded)).convert("RGB")
    shorter = min(image.size)
    image = image.resize((size * image.width // shorter, size * image.height // shorter), Image.Resampling.BILINEAR)
    left, top = (image.width - size) // 2, (image.height - size) // 2
    return np.asarray(image.crop((left, top, left + size, top + size))).transpose(2, 0, 1)
