"""The test images that runs reconstruct, and whose labels samples are asked to show."""

import numpy as np

from vaeline.study.schema import Sampling
from vaeline.system.seeds import derive_seed


def drawn_rows(images: int, settings: Sampling) -> np.ndarray:
    """Rows of the test split in ascending order: all of them, or `settings.count` drawn at random.

    Args:
        images: in the test split.
        settings: of the study.
    """
    if settings.count is None or settings.count >= images:
        return np.arange(images)
    generator = np.random.default_rng(derive_seed("test images", settings.seed))
    return np.sort(generator.choice(images, settings.count, replace=False))
