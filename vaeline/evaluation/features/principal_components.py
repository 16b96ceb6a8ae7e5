"""Principal components of the training pixels (Pearson, 1901), as a feature space that needs neither labels nor weights.

The components see colours, light and large shapes. They hardly see texture, and do not know what an image shows.
"""

import hashlib
from math import prod
from pathlib import Path

import numpy as np
import torch
from pydantic import Field
from torch import Tensor

from vaeline.data.facts import Facts
from vaeline.data.paths import DataFiles
from vaeline.data.store import read_split
from vaeline.evaluation.feature_space import Features
from vaeline.study.parts import PartOptions
from vaeline.system.evenly_spaced import evenly_spaced
from vaeline.system.memory import budget

# The training images that the components are computed from: so many, or more if they are small.
IMAGES, NUMBERS = 1000, 2**22


class Options(PartOptions):
    dimensions: int = Field(
        64, ge=2, le=512, description="components, those of the largest variance; fewer if the images have no more"
    )


def build(options: Options, facts: Facts, data: Path, device: torch.device | str = "cpu") -> "PrincipalComponents":
    """Compute the components from the training split of the store in `data`.

    Raises:
        UserError: the store is missing or damaged.
    """
    images = read_split(DataFiles(facts.dataset_id, data).store, "train", budget()).images
    count = max(IMAGES, NUMBERS // prod(facts.image_shape))
    chosen = images[evenly_spaced(len(images), count)]
    mean, components = principal_components(chosen / (facts.levels - 1), options.dimensions)
    decides = f"{facts.checksums.get('train', '')} {options.dimensions} {count}"
    return PrincipalComponents(mean, components, facts.levels, hashlib.sha256(decides.encode()).hexdigest(), device)


def principal_components(images: np.ndarray, dimensions: int) -> tuple[np.ndarray, np.ndarray]:
    """The mean of images and the directions in which they vary most.

    Args:
        images: any shape, (n, ...).
        dimensions: wanted.

    Returns:
        The mean, (pixels,), and orthonormal directions, (at most dimensions, pixels), float64, by descending variance. The largest entry
        of each is positive. Directions without variance are left out.
    """
    rows = images.reshape(len(images), -1).astype(np.float64)
    mean = rows.mean(0)
    _, scales, directions = np.linalg.svd(rows - mean, full_matrices=False)
    varied = scales > np.abs(rows).max() * max(rows.shape) * np.finfo(np.float64).eps  # not by rounding
    directions = directions[varied][:dimensions]
    largest = np.take_along_axis(directions, np.abs(directions).argmax(1)[:, None], 1)
    return mean, directions * np.sign(largest)


class PrincipalComponents(Features):
    """The coordinates of an image on the components, in units of the range from black to white.

    The checksum in place of weights is that of what decides the components: the last bits of these differ between machines.
    """

    linear = True

    def __init__(
        self, mean: np.ndarray, components: np.ndarray, levels: int, weights_sha256: str, device: torch.device | str
    ) -> None:
        self.mean, self.components = (
            torch.from_numpy(np.ascontiguousarray(each)).float().to(device) for each in (mean, components)
        )
        self.levels, self.weights_sha256 = levels, weights_sha256
        self.description = f"{len(components)} principal components of the training pixels"
        self.says_nothing = "" if len(components) else "all training images are the same"

    @torch.inference_mode()
    def __call__(self, images: Tensor) -> Tensor:
        """Features of images, uint8 (n, channel, height, width): float32, (n, components)."""
        pixels = images.to(self.mean.device).flatten(1).float() / (self.levels - 1)
        return (pixels - self.mean) @ self.components.T
