"""Images in a feature space: extracted once, and kept as arrays."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from vaeline.evaluation.feature_space import Features
from vaeline.metrics._entry import Space
from vaeline.metrics._images import MOST_ROWS, ImageSet
from vaeline.metrics._moments import Moments, moments, require_finite
from vaeline.system.errors import UserError
from vaeline.system.evenly_spaced import evenly_spaced
from vaeline.system.progress import watched
from vaeline.system.state_files import State

BATCH = 500

Blocks = Callable[[], Iterable[np.ndarray]]  # gives the images block by block, uint8, (any, channel, height, width)


def extract(features: Features, blocks: Blocks, labels: np.ndarray, test_index: np.ndarray | None = None) -> ImageSet:
    """Extract the features of images in one pass.

    Args:
        features: the space.
        blocks: the images.
        labels: of all images, (images, columns).
        test_index: the test image that each is, was made from, or has its labels from, (images,); None if there is none.

    Raises:
        UserError: a feature is not finite, or there are fewer than two images.
    """
    chosen, rows = evenly_spaced(len(labels), MOST_ROWS), []
    wanted = np.zeros(len(labels), bool)
    wanted[chosen] = True

    def passing() -> Iterator[np.ndarray]:
        start = 0
        for batch in watched(_batches(features, blocks()), "features", len(labels)):
            rows.append(batch[wanted[start : start + len(batch)]])
            start += len(batch)
            yield batch

    with _comparable(features):
        of_all = moments(passing())
    test_index = np.full(len(labels), -1) if test_index is None else test_index
    return ImageSet(blocks, of_all, np.concatenate(rows), labels[chosen], test_index[chosen], features.prefix)


def features_of(features: Features, blocks: Blocks, count: int) -> np.ndarray:
    """The features of `count` images, float32, (images, dimensions).

    Raises:
        UserError: a feature is not finite.
    """
    rows = np.concatenate(list(watched(_batches(features, blocks()), "features", count)))
    with _comparable(features):
        require_finite(rows)
    return rows


def image_set(
    features: Features, rows: np.ndarray, blocks: Blocks, labels: np.ndarray, test_index: np.ndarray
) -> ImageSet:
    """Images whose features, (images, dimensions), are extracted already; the other arguments are those of `extract`.

    Raises:
        UserError: there are fewer than two images.
    """
    chosen = evenly_spaced(len(labels), MOST_ROWS)
    with _comparable(features):
        of_all = moments(rows[start : start + BATCH] for start in range(0, len(rows), BATCH))
    return ImageSet(blocks, of_all, rows[chosen], labels[chosen], test_index[chosen], features.prefix)


def part(images: ImageSet, chosen: np.ndarray) -> ImageSet:
    """Some of the images whose features are known.

    Args:
        images: a set.
        chosen: whether each row of its features is wanted, bool, (rows,).

    Raises:
        ValueError: fewer than two rows are wanted.
    """
    wanted = np.zeros(images.moments.count, bool)
    wanted[evenly_spaced(images.moments.count, MOST_ROWS)] = chosen

    def blocks() -> Iterator[np.ndarray]:
        start = 0
        for block in images.blocks():
            yield block[wanted[start : start + len(block)]]
            start += len(block)

    rows, labels, test_index = (each[chosen] for each in (images.features, images.labels, images.test_index))
    return replace(
        images, blocks=blocks, moments=moments([rows]), features=rows, labels=labels, test_index=test_index,
        whole=(images, np.flatnonzero(chosen)),
    )  # fmt: skip


@contextmanager
def _comparable(features: Features) -> Iterator[None]:
    """Say of features that cannot be compared what to do."""
    try:
        yield
    except ValueError as error:
        raise UserError(
            f"Images cannot be compared in {features.description}: {error}; look at the images and at the weights, or take more "
            "images (dataset.split.test, sampling.count)."
        ) from error


def _batches(features: Features, blocks: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
    """The features of the images, (any, dimensions) each."""
    for block in blocks:
        for batch in torch.from_numpy(block).split(BATCH):
            yield features(batch).cpu().numpy()


def to_state(images: ImageSet) -> dict[str, Tensor]:
    """The features of images as tensors, to be written to a file."""
    arrays = {
        "count": np.array(images.moments.count), "mean": images.moments.mean, "covariance": images.moments.covariance,
        "rows": images.features, "labels": images.labels, "sources": images.test_index,
    }  # fmt: skip
    arrays |= {} if images.moments.factor is None else {"factor": images.moments.factor}
    arrays |= {} if images.train is None else {"train": images.train}
    return {name: torch.as_tensor(array).contiguous() for name, array in arrays.items()}


def from_state(state: State, blocks: Blocks, space: Space) -> ImageSet:
    """What `to_state` made tensors of.

    Raises:
        KeyError: a tensor is absent.
    """
    arrays = {name: tensor.numpy() for name, tensor in state.items()}
    found = Moments(int(arrays["count"]), arrays["mean"], arrays["covariance"], arrays.get("factor"))
    return ImageSet(
        blocks, found, arrays["rows"], arrays["labels"], arrays["sources"], space, train=arrays.get("train")
    )
