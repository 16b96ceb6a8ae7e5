"""Mean and covariance of features, streamed over batches (Chan et al., 1979)."""

from collections.abc import Iterable
from dataclasses import dataclass
from math import sqrt

import numpy as np


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
    require_finite(scatter)
    factor = (np.concatenate(few) - mean) / sqrt(count - 1) if few else None
    return Moments(count, mean, scatter / (count - 1), factor)


def require_finite(features: np.ndarray) -> None:
    """Refuse features, or what is computed from them, that are not finite.

    Raises:
        ValueError: a value is not finite.
    """
    if not np.isfinite(features).all():
        raise ValueError("the features contain values that are not finite")
