"""Defects of drawn images, in growing doses: what `benchmarks.stress` does to real images.

A dose is a share: of the samples, the classes, the side of an image, or the range of its levels. Dose 0 changes nothing. With the
same seed, the samples that a small dose changes are among those that a larger dose changes.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch
from scipy.ndimage import gaussian_filter
from torch.nn import functional

SHARES = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)


@dataclass(frozen=True)
class Images:
    """Images with labels: real ones, or samples with the labels that they were asked to show."""

    pixels: np.ndarray  # uint8, (n, channel, height, width)
    labels: np.ndarray  # int64, (n, columns)
    modes: np.ndarray  # the class of each image, or its cluster where the labels are attributes, int64, (n,)

    def take(self, rows: np.ndarray) -> "Images":
        """Some of the images."""
        return Images(self.pixels[rows], self.labels[rows], self.modes[rows])


@dataclass(frozen=True)
class Setting:
    """What a defect is made with."""

    train: Images  # the training images
    levels: int  # a pixel is from 0 to levels - 1
    values: tuple[int, ...]  # values of each label column
    seed: int  # decides which samples are changed


@dataclass(frozen=True)
class Defect:
    """A defect and its doses."""

    name: str
    dose: str  # what a dose is a share of
    doses: tuple[float, ...]  # rising; 0 is left out
    apply: Callable[[Images, float, Setting], Images]


def _blurred(drawn: Images, dose: float, setting: Setting) -> Images:
    """Blur with a Gaussian whose standard deviation is `dose` sides."""
    sigma = dose * drawn.pixels.shape[2]
    return _with(drawn, gaussian_filter(drawn.pixels.astype(np.float32), (0, 0, sigma, sigma), mode="nearest"), setting)


def _noisy(drawn: Images, dose: float, setting: Setting) -> Images:
    """Add Gaussian noise whose standard deviation is `dose` ranges."""
    noise = np.random.default_rng(setting.seed).standard_normal(drawn.pixels.shape, np.float32)
    return _with(drawn, drawn.pixels + dose * (setting.levels - 1) * noise, setting)


def _shifted(drawn: Images, dose: float, setting: Setting) -> Images:
    """Make grey images brighter by `dose` ranges; of colour images the first channel, and the last one darker."""
    channels = drawn.pixels.shape[1]
    shift = np.linspace(1, -1, channels, dtype=np.float32) if channels > 1 else np.ones(1, np.float32)
    return _with(drawn, drawn.pixels + dose * (setting.levels - 1) * shift[:, None, None], setting)


def _faded(drawn: Images, dose: float, setting: Setting) -> Images:
    """Take a share of the contrast, about the middle of the range."""
    middle = np.float32((setting.levels - 1) / 2)
    return _with(drawn, middle + (1 - dose) * (drawn.pixels - middle), setting)


def _cropped(drawn: Images, dose: float, setting: Setting) -> Images:
    """Cut a share of each side, half of it on either end, and enlarge the rest to the old size."""
    pixels = torch.from_numpy(drawn.pixels).float()
    inner = torch.tensor([[1 - dose, 0.0, 0.0], [0.0, 1 - dose, 0.0]]).expand(len(pixels), 2, 3)
    grid = functional.affine_grid(inner, list(pixels.shape), align_corners=False)
    found = functional.grid_sample(pixels, grid, padding_mode="border", align_corners=False)
    return _with(drawn, found.numpy(), setting)


def _fewer_modes(drawn: Images, dose: float, setting: Setting) -> Images:
    """Show images of other classes in place of a share of the classes. The samples are still asked for their own labels."""
    generator = np.random.default_rng(setting.seed)
    modes = generator.permutation(np.unique(drawn.modes))
    dropped = np.isin(drawn.modes, modes[: min(_part(dose, len(modes)), len(modes) - 1)])
    [lost], [kept] = np.nonzero(dropped), np.nonzero(~dropped)
    rows = np.arange(len(dropped))
    rows[lost] = generator.choice(kept, len(lost))
    return replace(drawn.take(rows), labels=drawn.labels)


def _repeated(drawn: Images, dose: float, setting: Setting) -> Images:
    """Show, in place of a share of the samples of each class, others of that class once more."""
    generator, rows = np.random.default_rng(setting.seed), np.arange(len(drawn.modes))
    for mode in np.unique(drawn.modes):
        members = generator.permutation(np.flatnonzero(drawn.modes == mode))
        repeats = min(_part(dose, len(members)), len(members) - 1)
        rows[members[:repeats]] = np.resize(members[repeats:], repeats)
    return drawn.take(rows)


def _memorised(drawn: Images, dose: float, setting: Setting) -> Images:
    """Show training images of the same class in place of a share of the samples, asked for by the labels of those images."""
    generator = np.random.default_rng(setting.seed)
    order = generator.permutation(len(drawn.modes))
    copies, train = order[: _part(dose, len(order))], setting.train
    pixels, labels = drawn.pixels.copy(), drawn.labels.copy()
    for mode in np.unique(drawn.modes[copies]):
        to = copies[drawn.modes[copies] == mode]
        sources = np.resize(generator.permutation(np.flatnonzero(train.modes == mode)), len(to))
        pixels[to], labels[to] = train.pixels[sources], train.labels[sources]
    return replace(drawn, pixels=pixels, labels=labels)


def _mislabelled(drawn: Images, dose: float, setting: Setting) -> Images:
    """Ask a share of the samples for other labels than they show."""
    generator = np.random.default_rng(setting.seed)
    rows = generator.permutation(len(drawn.labels))[: _part(dose, len(drawn.labels))]
    labels = drawn.labels.copy()
    for column, values in enumerate(setting.values):
        if values > 1:
            labels[rows, column] = (labels[rows, column] + generator.integers(1, values, len(rows))) % values
    return replace(drawn, labels=labels)


def _with(drawn: Images, pixels: np.ndarray, setting: Setting) -> Images:
    """The same samples with other pixels, rounded to levels."""
    return replace(drawn, pixels=pixels.round().clip(0, setting.levels - 1).astype(np.uint8))


def _part(dose: float, count: int) -> int:
    """How many of `count` a dose changes: at least one."""
    return max(1, round(dose * count)) if dose else 0


DEFECTS = [
    Defect("blur", "deviation, in sides", (0.01, 0.02, 0.04, 0.06, 0.08, 0.12, 0.16), _blurred),
    Defect("noise", "deviation, in ranges", (0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5), _noisy),
    Defect("colours or brightness", "shift, in ranges", (0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5), _shifted),
    Defect("contrast", "share that is lost", (0.02, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8), _faded),
    Defect("crop", "share of the side that is cut", (0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5), _cropped),
    Defect("fewer classes", "share of the classes", (0.1, 0.2, 0.3, 0.4, 0.5, 0.7, 0.9), _fewer_modes),
    Defect("repeats", "share of the samples", SHARES, _repeated),
    Defect("training images", "share of the samples", SHARES, _memorised),
    Defect("swapped labels", "share of the samples", SHARES, _mislabelled),
]
