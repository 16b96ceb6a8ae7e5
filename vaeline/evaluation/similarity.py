"""Images in a feature space: how far what is drawn lies from what is real, and what is noted of it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from vaeline.data.batches import evenly_spaced
from vaeline.data.facts import Facts
from vaeline.evaluation.record import Record
from vaeline.metrics.frechet import Moments, distance, moments
from vaeline.metrics.kernel_distance import kernel_distance
from vaeline.metrics.precision_recall import NEIGHBOURS, precision_recall
from vaeline.system.errors import UserError
from vaeline.system.progress import watched

BATCH = 500
MOST_ROWS = 5000  # images of each kind that are compared pair by pair
FEWEST_OF_LABEL = 20  # images of a label, of which a covariance is still taken
SAME = "the features of all test images are the same"


class Features(Protocol):
    """A space in which images are compared."""

    prefix: str  # of Frechet distances: fd or fid
    kernel_prefix: str  # of kernel distances: kd or kid
    description: str
    weights_sha256: str  # of the file that its network came from

    def __call__(self, images: Tensor) -> Tensor: ...  # uint8 (n, channel, height, width) -> (n, dimensions)


@dataclass(frozen=True)
class ImageFeatures:
    """Images in a feature space."""

    moments: Moments  # of all of them
    rows: np.ndarray  # features of at most MOST_ROWS, spread evenly over them, float32 (images, dimensions)
    labels: np.ndarray  # of those rows, or what they were asked to have, int64 (images, columns)
    sources: np.ndarray  # the test image that each of those rows is, or was made from, int64 (images,); -1 for none


@dataclass(frozen=True)
class Reference:
    """Real test images as a feature space shows them, and the figures of a data set."""

    space: dict[str, str]  # description and weights of the features
    seen: ImageFeatures
    record: Record
    test_sha256: str  # of the images, labels and ids that they are
    drawn: int  # images that a system draws, and of which the floor is measured

    def require(self, features: Features, facts: Facts, drawn: int) -> None:
        """Refuse to hold images in one space against a reference in another, of other test images, or for another number of samples.

        Raises:
            UserError: says what is not the same.
        """
        again = "measure it anew with `python -m pipeline_steps.reference`"
        if self.space != named(features):
            raise UserError(
                f"The reference was measured with {self.space}, but images are looked at with {named(features)}; {again}."
            )
        if self.test_sha256 != facts.checksums.get("test", ""):
            raise UserError(f"The reference is of another test split than that of {facts.dataset_id}; {again}.")
        if self.drawn != drawn:
            raise UserError(
                f"The run drew {drawn:,} images, but the reference tells what {self.drawn:,} would score; {again}, or draw as many."
            )


def named(features: Features) -> dict[str, str]:
    """What a figure must say of the space that it was measured in."""
    return {"features": features.description, "weights": features.weights_sha256}


def extract(
    features: Features, blocks: Iterable[np.ndarray], labels: np.ndarray, sources: np.ndarray | None = None
) -> ImageFeatures:
    """Look at images in one pass.

    Args:
        features: the space.
        blocks: the images, uint8 (any, channel, height, width).
        labels: of all of them, (images, columns).
        sources: the row of the test split that each is, was made from, or shares its labels with; None where there is none.

    Raises:
        UserError: a feature is not finite, or there are fewer than two images.
    """
    chosen, kept = evenly_spaced(len(labels), MOST_ROWS), []
    wanted = np.zeros(len(labels), bool)
    wanted[chosen] = True

    def passing() -> Iterator[np.ndarray]:
        start = 0
        for batch in watched(_batches(features, blocks), "features", len(labels)):
            kept.append(batch[wanted[start : start + len(batch)]])
            start += len(batch)
            yield batch

    try:
        of_all = moments(passing())
    except ValueError as error:
        raise UserError(
            f"Images cannot be compared in {features.description}: {error}; look at the images and at the weights, or take more "
            "images (dataset.split.test, sampling.count)."
        ) from error
    sources = np.full(len(labels), -1) if sources is None else sources
    return ImageFeatures(of_all, np.concatenate(kept), labels[chosen], sources[chosen])


def _batches(features: Features, blocks: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
    """The features of blocks of images, (any, dimensions) each."""
    for block in blocks:
        for batch in torch.from_numpy(block).split(BATCH):
            yield features(batch).cpu().numpy()


def put_distances(
    record: Record, of: str, seen: ImageFeatures, subject: str, features: Features, reference: Reference
) -> None:
    """Note the Frechet and the kernel distance of images from the test split.

    Args:
        record: is added to.
        of: end of the figures' names.
        seen: the images.
        subject: what they are, for the definition.
        features: the space of the distances.
        reference: the test split in that space.
    """
    how: dict[str, Any] = {"split": "test", **reference.space}
    frechet, kernel = f"{features.prefix}_{of}", f"{features.kernel_prefix}_{of}"
    if (reference.seen.rows == reference.seen.rows[0]).all():
        record.dash_each((frechet, kernel), SAME)
        return
    found, real = seen.moments, reference.seen.moments
    record.put(
        frechet, distance(found, real), f"Frechet distance, squared, of {subject} from the images of the test split.",
        images=found.count, of=real.count, **how, **_bias(min(found.count, real.count), len(found.mean)),
    )  # fmt: skip
    if min(len(seen.rows), len(reference.seen.rows)) < 3:
        record.dash(kernel, "it needs at least 3 images of each kind")
        return
    between = kernel_distance(seen.rows, reference.seen.rows, _partners(seen, reference))
    counts = {"images": len(seen.rows), "of": len(reference.seen.rows)}
    definition = f"Kernel distance, unbiased, of {subject} from the images of the test split."
    record.put(kernel, between.distance, definition, **counts, **how, standard_error=between.standard_error)
    definition = f"Standard error of {kernel} over images, by the jackknife."
    record.put(f"{kernel}_standard_error", between.standard_error, definition, **counts, **how)


def _partners(seen: ImageFeatures, reference: Reference) -> np.ndarray:
    """Where, among the reference's rows, the test image stands that each row was made from, or -1, (images,)."""
    rows = {source: row for row, source in enumerate(reference.seen.sources.tolist()) if source >= 0}
    return np.array([rows.get(source, -1) for source in seen.sources.tolist()], np.int64)


def put_distances_by_label(
    record: Record, of: str, seen: ImageFeatures, subject: str, features: Features, reference: Reference, facts: Facts
) -> None:
    """Note the Frechet distance of images that have a label, or were asked to, from the test images that have it.

    Args:
        record: is added to.
        of: end of the figure's name, before `_by_label`.
        seen: the images, with their labels.
        subject: what they are, for the definition.
        features: the space of the distances.
        reference: the test split in that space.
        facts: of its store. A label of which there are too few images is left out and named.
    """
    figure, real = f"{features.prefix}_{of}_by_label", reference.seen
    found, fewest, left_out = {}, MOST_ROWS, []
    for column, (name, values) in enumerate(zip(facts.label_names, facts.label_values, strict=True)):
        for value, word in enumerate(values):
            rows = [each.rows[each.labels[:, column] == value] for each in (seen, real)]
            few = min(map(len, rows))
            if few < FEWEST_OF_LABEL:
                left_out.append(f"{name}={word}")
            else:
                found[f"{name}={word}"] = distance(*(moments([each]) for each in rows))
                fewest = min(fewest, few)
    if not found:
        record.dash(figure, f"of no label are there {FEWEST_OF_LABEL} images of either kind")
        return
    how: dict[str, Any] = {"split": "test", "images": len(seen.rows), "of": len(real.rows), **reference.space}
    if left_out:
        how["left_out"] = left_out
    definition = f"Frechet distance of {subject} with a label from the test images that have it, mean over labels."
    how |= _bias(fewest, real.rows.shape[1])
    record.put(figure, float(np.mean(list(found.values()))), definition, **how, by_label=found)


def _bias(images: int, dimensions: int) -> dict[str, str]:
    """A warning where a covariance has not full rank."""
    if images > dimensions:
        return {}
    return {"warning": f"biased upwards: from {images:,} images in {dimensions:,} dimensions"}


def put_neighbours(record: Record, ending: str, seen: ImageFeatures, subject: str, reference: Reference) -> None:
    """Note precision, recall, density and coverage of images beside the test split."""
    definitions = {
        "precision": f"Share of {subject} in the ball of a test image",
        "recall": f"Share of test images in the ball of one of {subject}",
        "density": f"Test images' balls around one of {subject}, in units of {NEIGHBOURS}",
        "coverage": f"Share of test images whose ball holds one of {subject}",
    }
    try:
        found = precision_recall(torch.from_numpy(reference.seen.rows), torch.from_numpy(seen.rows))
    except ValueError as error:
        for figure in definitions:
            record.dash(f"{figure}{ending}", str(error))
        return
    how = {"split": "test", "images": len(seen.rows), "of": len(reference.seen.rows), **reference.space}
    for figure, value in found._asdict().items():
        definition = f"{definitions[figure]}; a ball reaches to the {NEIGHBOURS}th nearest image of its own kind."
        record.put(f"{figure}{ending}", value, definition, **how)
