"""Seeded, shuffled batches of a split: read, augmented, and scaled to the range of the networks on the device.

Images are kept on the device if they fit there, otherwise in the memory of the machine or on demand; batches are then read, or drawn,
while the one before is in use. The place of the images changes no number.
"""

import copy
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch
from torch import Tensor

from vaeline.data.augmentation import augment
from vaeline.data.dequantization import to_range
from vaeline.data.facts import Facts
from vaeline.data.on_demand import OnDemand
from vaeline.data.store import Split, SplitOnDemand
from vaeline.system.background import in_order
from vaeline.system.evenly_spaced import evenly_spaced

AHEAD = 3  # batches that are read from disk in advance


class Batches:
    """A split on a device.

    Args:
        split: images, uint8 (n, channel, height, width), or points, and labels, (n, columns).
        facts: of its store.
        batch_size: images in each batch, two or more; the last batch is smaller, or larger by one image.
        device: of the batches.
    """

    def __init__(
        self, split: Split | SplitOnDemand, facts: Facts, batch_size: int, device: torch.device | str = "cpu"
    ) -> None:
        self.images = (
            split.images if isinstance(split.images, OnDemand) else _placed(split.images, torch.device(device))
        )
        self.labels = torch.from_numpy(split.labels).to(device)
        self.facts = facts
        self.batch_size = batch_size

    def __len__(self) -> int:
        """The number of batches in an epoch of `shuffled`; it is used in every step."""
        full, rest = divmod(len(self.labels), self.batch_size)
        return full + (rest > 1) or 1

    def spread(self, count: int) -> "Batches":
        """Batches of at most `count` images, spread evenly over the split."""
        chosen = evenly_spaced(len(self.images), count)
        rows, some = torch.from_numpy(chosen).to(self.labels.device), copy.copy(self)
        some.images = self.images.select(chosen) if isinstance(self.images, OnDemand) else self.take(rows)
        some.labels = self.labels.index_select(0, rows)
        return some

    def stored(self) -> Iterator[tuple[Tensor, Tensor]]:
        """Batches of the images as they are stored, in the order of the split, and of their labels."""
        yield from self._read(torch.arange(len(self.images), device=self.labels.device).split(self.batch_size))

    def ordered(self, seed: int) -> Iterator[tuple[Tensor, Tensor]]:
        """Batches of images x in the order of the split, dequantized with `seed`, and of their labels."""
        generator = torch.Generator(self.labels.device).manual_seed(seed)
        order = torch.arange(len(self.images), device=self.labels.device)
        for images, labels in self._read(order.split(self.batch_size)):
            yield self._to_network(images, generator), labels

    def shuffled(self, seed: int, flip: bool = False, rotation: float = 0.0) -> Iterator[tuple[Tensor, Tensor]]:
        """Batches of shuffled, augmented images x, and of their labels.

        Args:
            seed: of the order, the augmentation and the noise of dequantization.
            flip: as in `augment`.
            rotation: as in `augment`.
        """
        generator = torch.Generator(self.labels.device).manual_seed(seed)
        for images, labels in self.augmented(generator, flip, rotation):
            yield self._to_network(images, generator), labels

    def augmented(
        self, generator: torch.Generator, flip: bool = False, rotation: float = 0.0
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """Batches of shuffled images as `augment` returns them, before they are scaled, and of their labels."""
        order = torch.randperm(len(self.images), generator=generator, device=self.labels.device)
        for images, labels in self._read(self._dealt(order)):
            yield augment(images, generator, flip, rotation), labels

    def _read(self, dealt: Sequence[Tensor]) -> Iterator[tuple[Tensor, Tensor]]:
        """The images and labels of each batch of rows; images on demand are made while earlier batches are in use."""
        if not isinstance(self.images, OnDemand):
            for rows in dealt:
                yield self.take(rows), self.labels.index_select(0, rows)
            return
        with ThreadPoolExecutor(1) as reader:
            read = in_order((reader.submit(self.take, rows) for rows in dealt), AHEAD)
            for rows, images in zip(dealt, read, strict=True):
                yield images, self.labels.index_select(0, rows)

    def take(self, rows: Tensor) -> Tensor:
        """The stored images of some rows, on the device of the rows."""
        if isinstance(self.images, OnDemand):
            return torch.from_numpy(self.images.take(rows.cpu().numpy())).to(rows.device)
        return self.images.index_select(0, rows.to(self.images.device)).to(rows.device)

    def _dealt(self, order: Tensor) -> list[Tensor]:
        """Divide rows into batches. A last batch of one image, which has no variance, joins the batch before it."""
        dealt = list(order.split(self.batch_size))
        return [*dealt[:-2], torch.cat(dealt[-2:])] if len(dealt) > 1 and len(dealt[-1]) == 1 else dealt

    def _to_network(self, pixels: Tensor, generator: torch.Generator) -> Tensor:
        x = to_range(pixels, self.facts, generator)
        return x if self.facts.points else x.contiguous(memory_format=torch.channels_last)


def _placed(images: np.ndarray, device: torch.device) -> Tensor:
    """The images on the device if they fill at most half of its free memory, otherwise in pinned memory of the machine."""
    if device.type == "cuda" and images.nbytes > torch.cuda.mem_get_info(device)[0] // 2:
        return torch.from_numpy(images).pin_memory()
    return torch.from_numpy(images).to(device)
