"""The Frechet distance between Gaussians fitted to features of images (Heusel et al., 2017, eq. 6)."""

import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from math import sqrt

import numpy as np
import torch


class FewImages(UserWarning):
    """A covariance was estimated from too few images to have full rank; the distance is biased upwards."""


@dataclass(frozen=True)
class Moments:
    """Mean and covariance of features, float64."""

    count: int
    mean: np.ndarray  # (dimensions,)
    covariance: np.ndarray  # (dimensions, dimensions), normalised by count - 1
    # F'F = covariance, (count, dimensions): the centred rows, of at most `dimensions` images.
    factor: np.ndarray | None = None


def moments(batches: Iterable[np.ndarray]) -> Moments:
    """Stream batches of features, (any, dimensions), into their mean and covariance (Chan et al., 1979).

    Raises:
        ValueError: a feature is not finite, or there are fewer than two rows.
    """
    count, mean, scatter = 0, np.zeros(()), np.zeros(())
    few: list[np.ndarray] = []  # all rows, while they are no more than dimensions
    for batch in batches:
        rows = np.asarray(batch, np.float64)
        batch_mean = rows.mean(0)
        shift, centred, total = batch_mean - mean, rows - batch_mean, count + len(rows)
        scatter = scatter + centred.T @ centred + np.outer(shift, shift) * (count * len(rows) / total)
        mean = mean + shift * (len(rows) / total)
        few = [*few, rows] if total <= len(mean) else []
        count = total
    if count < 2:
        raise ValueError(f"a covariance needs at least 2 rows of features, not {count}")
    if not np.isfinite(scatter).all():
        raise ValueError("the features hold values that are not finite")
    factor = (np.concatenate(few) - mean) / sqrt(count - 1) if few else None
    return Moments(count, mean, scatter / (count - 1), factor)


def distance(first: Moments, second: Moments) -> float:
    """|m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^(1/2)): a squared length in feature space, at least 0.

    Warns:
        FewImages: there are no more images than dimensions.
    """
    count, dimensions = min(first.count, second.count), len(first.mean)
    if count <= dimensions:
        sentence = f"A Frechet distance in {dimensions} dimensions was estimated from {count} images; take more than {dimensions}."
        warnings.warn(sentence, FewImages, stacklevel=2)
    shift = first.mean - second.mean
    traces = np.trace(first.covariance) + np.trace(second.covariance)
    squared = shift @ shift + traces - 2 * _trace_of_root(first, second)
    return float(np.maximum(squared, 0.0))  # which keeps a NaN


def _trace_of_root(first: Moments, second: Moments) -> float:
    """tr((C1 C2)^(1/2)), by numbers that are real and never negative, whatever rounding does.

    With C1 = F'F and C2 = G'G they are the singular values of FG', and, without a G, the roots of the eigenvalues of FC2F',
    which are those of C1 C2.
    """
    if first.factor is not None and second.factor is not None:
        return float(np.linalg.svd(first.factor @ second.factor.T, compute_uv=False).sum())
    if first.factor is None and second.factor is not None:
        first, second = second, first
    factor = _factor(first.covariance) if first.factor is None else first.factor
    eigenvalues = _eigenvalues(factor @ second.covariance @ factor.T)
    # Of an eigenvalue 0 rounding leaves 1e-16, and the root of that is 1e-8 for each missing rank.
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
