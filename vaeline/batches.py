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
from torch.nn import functional

from vaeline.ahead import in_order
from vaeline.store import Facts, OnDisk, Split

AHEAD = 3  # batches that are read from disk before they are asked for


def to_range(pixels: Tensor, facts: Facts, generator: torch.Generator | None = None) -> Tensor:
    """Scale what is stored to the data's range, as `facts.pixels` says.

    `dequantized`: level k of L becomes a value, drawn uniformly, of the k-th of L equal steps of the range. `greys` and
    `static_binary`: level 0 becomes its lower end, L - 1 its upper, others lie between. `dynamic_binary`: one of the two
    ends, the upper with probability k / (L - 1). `points` stay as they are.

    Args:
        pixels: levels, (b, channel, height, width), whole or between two after a rotation; or points.
        facts: of the store that they come from.
        generator: of all that is drawn, on the pixels' device.

    Returns:
        float32, the same shape, inside `facts.range`.
    """
    if facts.points:
        return pixels
    low, high = facts.range
    if facts.pixels in ("greys", "static_binary"):
        return ((high - low) / (facts.levels - 1) * pixels).add_(low)
    noise = torch.rand(pixels.shape, generator=generator, device=pixels.device)
    if facts.pixels == "dynamic_binary":
        return low + (high - low) * (noise < pixels / (facts.levels - 1)).float()
    return noise.add_(pixels).mul_((high - low) / facts.levels).add_(low)


def to_pixels(mean: Tensor, facts: Facts) -> Tensor:
    """The level that stands for each value, clipped, uint8; points stay as they are: the inverse of `to_range`."""
    if facts.points:
        return mean
    low, high = facts.range
    share = (mean - low) / (high - low)
    whole = (share * facts.levels).floor() if facts.pixels == "dequantized" else (share * (facts.levels - 1)).round()
    return whole.clamp(0, facts.levels - 1).to(torch.uint8)


def augment(images: Tensor, generator: torch.Generator, flip: bool, rotation: float) -> Tensor:
    """Mirror half of the images, left to right, and turn each by up to `rotation` degrees either way.

    Args:
        images: pixels, (b, channel, height, width).
        generator: of both, on the images' device.
        flip: whether to mirror.
        rotation: degrees; 0 leaves pixels whole, else they are float32 and may lie between two levels.
    """
    if flip:
        images = _flip_half(images, generator)
    return _rotate(images.float(), rotation, generator) if rotation else images


class Batches:
    """A split on a device.

    Args:
        split: images, uint8 (n, channel, height, width), or points, and labels, (n, columns).
        facts: of its store.
        batch_size: images in each batch, two or more; the last one is smaller, or one larger.
        device: where batches are made.
    """

    def __init__(self, split: Split, facts: Facts, batch_size: int, device: torch.device | str = "cpu") -> None:
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


def _flip_half(images: Tensor, generator: torch.Generator) -> Tensor:
    mirrored = torch.rand(len(images), 1, 1, 1, generator=generator, device=images.device) < 0.5
    # torch.where, in bits: it is several times as fast.
    return images ^ ((images ^ images.flip(3)) & torch.where(mirrored, 255, 0).to(torch.uint8))


def _rotate(images: Tensor, degrees: float, generator: torch.Generator) -> Tensor:
    """Turn each square image about its middle by an angle of its own; what comes into view repeats the border."""
    angle = (2 * torch.rand(len(images), generator=generator, device=images.device) - 1) * (degrees * torch.pi / 180)
    cos, sin, zero = angle.cos(), angle.sin(), torch.zeros_like(angle)
    turn = torch.stack([torch.stack([cos, -sin, zero], 1), torch.stack([sin, cos, zero], 1)], 1)  # (b, 2, 3)
    grid = functional.affine_grid(turn, list(images.shape), align_corners=False)
    middle_of_border = 1 - 1 / images.shape[3]  # clamped here, since not every accelerator pads with the border itself
    return functional.grid_sample(images, grid.clamp_(-middle_of_border, middle_of_border), align_corners=False)


def evenly_spaced(available: int, count: int | None) -> np.ndarray:
    """Rows spread evenly over a split: all of them, or `count` where there are more."""
    if count is None or count >= available:
        return np.arange(available)
    return np.linspace(0, available - 1, count).round().astype(np.int64)
