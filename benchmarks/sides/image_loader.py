"""Batches as most training scripts make them: two worker processes decode and augment one JPEG file at a time."""

from pathlib import Path

import torch
from PIL import Image
from torch.utils.data import DataLoader, Dataset
from torchvision.transforms import v2

from benchmarks.side import Work
from benchmarks.work import BATCHES, jpeg_files


class Files(Dataset):
    """JPEG files, decoded, resized, augmented and normalized one by one."""

    def __init__(self, files: list[Path], size: int, rotation: float) -> None:
        self.files = files
        self.steps = v2.Compose(
            [
                v2.PILToTensor(),
                v2.Resize(size, antialias=True),
                v2.CenterCrop(size),
                v2.RandomHorizontalFlip(),
                v2.RandomRotation(rotation, v2.InterpolationMode.BILINEAR),
                v2.ToDtype(torch.float32, scale=True),
                v2.Normalize([0.5], [0.5]),
            ]
        )

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, index: int) -> torch.Tensor:
        return self.steps(Image.open(self.files[index]))


def batches() -> Work:
    """Load one epoch of batches."""
    files = jpeg_files(BATCHES["images"])
    dataset = Files(files, BATCHES["size"], BATCHES["rotation"])
    loader = DataLoader(dataset, BATCHES["batch"], shuffle=True, num_workers=2, persistent_workers=True)

    def work() -> float:
        return sum(len(x) for x in loader)

    return work
