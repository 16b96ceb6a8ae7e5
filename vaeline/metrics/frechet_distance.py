"""The Fréchet distance between Gaussians fitted to features of images (Heusel et al., 2017, eq. 6)."""

import warnings

import numpy as np
import torch

from vaeline.metrics._entry import SPACES, SUBJECTS, Metric, Reference
from vaeline.metrics._images import ImageSet, Measured, Results, refuse_identical
from vaeline.metrics._moments import Moments

METRICS = [
    Metric(
        f"{space}_{subject}",
        group="Images",
        meaning=f"Fréchet distance of {words.split(' (')[0]}, {features}",
        definition=f"Fréchet distance, squared, of {words} from the images of the test split.",
        better="lower",
        references=(
            Reference(
                f"{space}_floor",
                "Fréchet distance, squared, of as many training images, with the labels that samples are asked to show, from the images of "
                "the test split.",
                subject="floor",
                # Reconstructions are of the test images themselves.
                past=None if subject == "reconstruction" else "better than real images",
            ),
            Reference(
                f"{space}_pixel_gaussian",
                "Fréchet distance, squared, of samples of a Gaussian with the training pixels' mean and covariance from the "
                "images of the test split.",
                subject="pixel_gaussian",
                past="no better than one Gaussian",
            ),
        ),
        data=("images",),
        needs_information=subject == "low_posterior",
        subject=subject,
        space=space,
        key="frechet_distance",
    )
    for subject, words in SUBJECTS.items()
    for space, features in SPACES.items()
]


class FewImages(UserWarning):
    """A covariance was estimated from too few images to have full rank; the distance is biased upwards."""


def measure(images: ImageSet, real: ImageSet) -> Results:
    """The distance of images from the test images, in either order the same."""
    refuse_identical(real)
    few = min(images.moments.count, real.moments.count)
    how = {"images": images.moments.count, "of": real.moments.count, **bias(few, len(real.moments.mean))}
    return {"frechet_distance": Measured(distance(images.moments, real.moments), how)}


def bias(images: int, dimensions: int) -> dict[str, str]:
    """A warning if a covariance of so many images does not have full rank."""
    if images > dimensions:
        return {}
    return {"warning": f"biased upwards: from {images:,} images in {dimensions:,} dimensions"}


def distance(first: Moments, second: Moments) -> float:
    """|m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^(1/2)): a squared length in feature space, at least 0.

    Warns:
        FewImages: there are no more images than dimensions.
    """
    count, dimensions = min(first.count, second.count), len(first.mean)
    if count <= dimensions:
        sentence = f"A Fréchet distance in {dimensions} dimensions was estimated from {count} images; take more than {dimensions}."
        warnings.warn(sentence, FewImages, stacklevel=2)
    shift = first.mean - second.mean
    traces = np.trace(first.covariance) + np.trace(second.covariance)
    squared = shift @ shift + traces - 2 * _trace_of_root(first, second)
    return float(np.maximum(squared, 0.0))  # which keeps a NaN


def _trace_of_root(first: Moments, second: Moments) -> float:
    """Compute tr((C1 C2)^(1/2)) as a sum of real, nonnegative numbers.

    These are the singular values of FG' if C1 = F'F and C2 = G'G, otherwise the square roots of the eigenvalues of F C2 F'.
    """
    if first.factor is not None and second.factor is not None:
        return float(np.linalg.svd(first.factor @ second.factor.T, compute_uv=False).sum())
    if first.factor is None and second.factor is not None:
        first, second = second, first
    factor = _factor(first.covariance) if first.factor is None else first.factor
    eigenvalues = _eigenvalues(factor @ second.covariance @ factor.T)
    # Rounding turns a zero eigenvalue into 1e-16, whose square root would add 1e-8 for each missing rank.
    noise = eigenvalues[-1] * len(eigenvalues) * np.finfo(np.float64).eps
    return float(np.sqrt(eigenvalues[eigenvalues > noise]).sum())


def _eigenvalues(symmetric: np.ndarray) -> np.ndarray:
    """In rising order; by torch's LAPACK, which on most machines is twice as fast as NumPy's."""
    return torch.linalg.eigvalsh(torch.from_numpy(symmetric)).numpy()


def _factor(covariance: np.ndarray) -> np.ndarray:
    """F with F'F = covariance."""
    lower, failed = torch.linalg.cholesky_ex(torch.from_numpy(covariance))
    if not failed:
        return lower.numpy().T
    eigenvalues, vectors = np.linalg.eigh(covariance)  # not of full rank
    return np.asarray((vectors * np.sqrt(eigenvalues.clip(0))).T)
