"""Seeded, shuffled batches of a split, as it is stored, brought to the range of the networks and augmented on the device.

Images lie on the device where they have room, else in this machine's memory or on disk, whence batches come while the one before
them is at work. Where they lie changes no number.
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
from vaeline.data.on_disk import OnDisk
from vaeline.data.store import Split, SplitOnDisk
from vaeline.system.background import in_order

AHEAD = 3  # batches that are read from disk before they are asked for


class Batches:
    """A split on a device.

    Args:
        split: images, uint8 (n, channel, height, width), or points, and labels, (n, columns).
        facts: of its store.
        batch_size: images in each batch, two or more; the last one is smaller, or one larger.
        device: where batches are made.
    """

    def __init__(
        self, split: Split | SplitOnDisk, facts: Facts, batch_size: int, device: torch.device | str = "cpu"
    ) -> None:
        self.images = split.images if isinstance(split.images, OnDisk) else _placed(split.images, torch.device(device))
        self.labels = torch.from_numpy(split.labels).to(device)
        self.facts = facts
        self.batch_size = batch_size

    def __len__(self) -> int:
        """Batches of an epoch, as `shuffled` deals them; asked for in every step."""
        full, rest = divmod(len(self.labels), self.batch_size)
        return full + (rest > 1) or 1

    def spread(self, count: int) -> "Batches":
        """At most `count` images, spread evenly over the split."""
        rows = torch.from_numpy(evenly_spaced(len(self.images), count)).to(self.labels.device)
        some = copy.copy(self)
        some.images, some.labels = self.take(rows), self.labels.index_select(0, rows)
        return some

    def ordered(self, seed: int) -> Iterator[tuple[Tensor, Tensor]]:
        """Images x in their order, dequantized by `seed`, and their labels."""
        generator = torch.Generator(self.labels.device).manual_seed(seed)
        order = torch.arange(len(self.images), device=self.labels.device)
        for images, labels in self._read(order.split(self.batch_size)):
            yield self._to_network(images, generator), labels

    def shuffled(self, seed: int, flip: bool = False, rotation: float = 0.0) -> Iterator[tuple[Tensor, Tensor]]:
        """Images x in an order, and with an augmentation and noise, that `seed` decides, and their labels.

        Args:
            seed: of everything random here.
            flip: as `augment` has it.
            rotation: likewise.
        """
        generator = torch.Generator(self.labels.device).manual_seed(seed)
        for images, labels in self.augmented(generator, flip, rotation):
            yield self._to_network(images, generator), labels

    def augmented(
        self, generator: torch.Generator, flip: bool = False, rotation: float = 0.0
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """As `shuffled`, but pixels as `augment` leaves them; the generator is the caller's."""
        order = torch.randperm(len(self.images), generator=generator, device=self.labels.device)
        for images, labels in self._read(self._dealt(order)):
            yield augment(images, generator, flip, rotation), labels

    def _read(self, dealt: Sequence[Tensor]) -> Iterator[tuple[Tensor, Tensor]]:
        """The images and labels of each batch of rows; those on disk are read while the batches before them are at work."""
        if not isinstance(self.images, OnDisk):
            for rows in dealt:
                yield self.take(rows), self.labels.index_select(0, rows)
            return
        with ThreadPoolExecutor(1) as reader:
            read = in_order((reader.submit(self.take, rows) for rows in dealt), AHEAD)
            for rows, images in zip(dealt, read, strict=True):
                yield images, self.labels.index_select(0, rows)

    def take(self, rows: Tensor) -> Tensor:
        """Images of some rows as they are stored, on the device of the rows."""
        if isinstance(self.images, OnDisk):
            return torch.from_numpy(self.images.take(rows.cpu().numpy())).to(rows.device)
        return self.images.index_select(0, rows.to(self.images.device)).to(rows.device)

    def _dealt(self, order: Tensor) -> list[Tensor]:
        """Deal rows to batches; a last batch of one image, which has no variance, joins the one before it."""
        dealt = list(order.split(self.batch_size))
        return [*dealt[:-2], torch.cat(dealt[-2:])] if len(dealt) > 1 and len(dealt[-1]) == 1 else dealt

    def _to_network(self, pixels: Tensor, generator: torch.Generator) -> Tensor:
        x = to_range(pixels, self.facts, generator)
        return x if self.facts.points else x.contiguous(memory_format=torch.channels_last)


def _placed(images: np.ndarray, device: torch.device) -> Tensor:
    """Images on the device, if half of what is free there has room for them."""
    if device.type == "cuda" and images.nbytes > torch.cuda.mem_get_info(device)[0] // 2:
        return torch.from_numpy(images).pin_memory()
    return torch.from_numpy(images).to(device)


def evenly_spaced(available: int, count: int | None) -> np.ndarray:
    """Rows spread evenly over a split: all of them, or `count` where there are more."""
    if count is None or count >= available:
        return np.arange(available)
    return np.linspace(0, available - 1, count).round().astype(np.int64)
