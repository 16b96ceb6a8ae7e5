"""The real images that reconstructions and samples are compared with."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from vaeline.data.facts import Facts
from vaeline.data.on_demand import Images
from vaeline.data.store import read_facts, read_split
from vaeline.report.nearest_images import nearest
from vaeline.report.results import Results
from vaeline.runs.pictures import MOST_POINTS, picture
from vaeline.study.step_settings import again
from vaeline.system.errors import UserError
from vaeline.system.memory import budget

COMPARED = 8  # samples of a variant beside which the nearest training image is shown


@dataclass(frozen=True)
class RealImages:
    """The test split of a store, and training images."""

    test: Images  # uint8 (n, channel, height, width); or points, float (n, dimensions)
    facts: Facts
    shown: bytes  # PNG of the test images that the runs reconstructed, in the order of their pictures
    # Variant -> the training image nearest to each of the first samples of its first run, uint8, (COMPARED, channel, height, width).
    nearest: Mapping[str, np.ndarray] = field(default_factory=dict)


def read(store: Path, results: Results, count: int) -> RealImages | None:
    """Read the test images of a study, and look for training images that are near to samples.

    Args:
        store: the HDF5 file of the data set.
        results: a study with at least one run.
        count: how many images the pictures of a run show.

    Returns:
        The test images, or None if the store does not exist.

    Raises:
        UserError: the runs were made from another store.
    """
    if not store.exists():
        return None
    test, facts = read_split(store, "test", budget()).images, read_facts(store)
    if max(run.drawn["test_index"].max() for run in results.runs) >= len(test):
        raise UserError(
            f"{store} has {len(test):,} test images, fewer than the runs were made from; {again('preprocess')}."
        )
    shown = test[:MOST_POINTS] if facts.points else test[results.runs[0].drawn["test_index"][:count]]
    found = {} if facts.points else _nearest(store, results)
    return RealImages(test, facts, picture(shown, facts, test), found)


def _nearest(store: Path, results: Results) -> dict[str, np.ndarray]:
    """The training images nearest to the first samples of each variant's first run; the split is read once."""
    samples: dict[str, np.ndarray] = {}
    for run in results.runs:
        if run.first_samples is not None:
            samples.setdefault(run.variant, run.first_samples[:COMPARED])
    if not samples:
        return {}
    train = read_split(store, "train", budget()).images
    found = nearest(np.concatenate(list(samples.values())), train)
    ends = np.cumsum([len(each) for each in samples.values()])
    return dict(zip(samples, np.split(found, ends[:-1]), strict=True))
