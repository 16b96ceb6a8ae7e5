"""Subsets of the training images that bear the labels that samples are asked to show, and the metrics averaged over them.

Each test image whose labels are asked for gets candidates of its own among the training images. A subset takes one of them for each
test image: it has as many images as a system draws, under the same labels or the nearest, and none twice.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import fmean, stdev
from typing import Any

import numpy as np

from vaeline.metrics._images import Dash, Measured, Results
from vaeline.system.seeds import derive_seed

SUBSETS = 30
CANDIDATES = 3  # of each test image, at most; their features are extracted once for all subsets


@dataclass(frozen=True)
class Matched:
    """Training images that are matched with test images by their labels."""

    asked: np.ndarray  # which of the test images are matched, in ascending order, (n,)
    candidates: np.ndarray  # training images for each of them, -1 for none, (n, CANDIDATES)

    @property
    def pool(self) -> np.ndarray:
        """All candidates, in ascending order."""
        return np.unique(self.candidates[self.candidates >= 0])

    @property
    def shared(self) -> float:
        """The share of its images that a subset has in common with another one, on average."""
        return float((1 / self._counts).mean())

    @property
    def _counts(self) -> np.ndarray:
        return (self.candidates >= 0).sum(1)

    def subsets(self, seed: int) -> Iterator[np.ndarray]:
        """Rows of the training images of each subset, (n,): SUBSETS of them, or one if there is no other choice."""
        generator, rows = np.random.default_rng(derive_seed("subsets", seed)), np.arange(len(self.candidates))
        for _ in range(SUBSETS if self.shared < 1 else 1):
            yield self.candidates[rows, generator.integers(self._counts)]


def match(asked: np.ndarray, train: np.ndarray, seed: int) -> Matched:
    """Give test images candidates among the training images: those with the same labels, or else those with the nearest.

    Nearest is by the number of labels that differ (Hamming distance), and at random among equals. Every test image has one candidate
    before any has a second. Further candidates of an image are no farther than the nearest for its labels. If there are fewer training
    images than test images, only as many test images are matched, chosen at random.

    Args:
        asked: labels of the test images, (any, columns); there may be no column.
        train: labels of the training images, (any, columns).
        seed: of all choices.
    """
    generator = np.random.default_rng(derive_seed("candidates", seed))
    kept = np.sort(generator.permutation(len(asked))[: len(train)])
    order = generator.permutation(len(train))  # the first of equals is one at random
    # Labels are compared many times, and small numbers faster.
    smallest = np.min_scalar_type(int(max(asked.max(initial=0), train.max(initial=0))))
    asked, train = asked[kept].astype(smallest), train[order].astype(smallest)
    found, free = np.full((len(asked), CANDIDATES), -1), np.ones(len(train), bool)

    def deal(rows: np.ndarray, candidates: np.ndarray, first: int) -> None:
        """Give candidates to test images in turn, from column `first` on, until there is no more place."""
        places = np.arange(min(len(candidates), len(rows) * (CANDIDATES - first)))
        found[rows[places % len(rows)], first + places // len(rows)] = candidates[: len(places)]
        free[candidates[: len(places)]] = False

    kinds = _kinds(asked, train)
    for rows, alike in kinds:
        deal(rows, alike[: len(rows)], 0)
    columns = np.ascontiguousarray(train.T)
    for place in generator.permutation(len(kinds)):
        rows, alike = kinds[place]
        if len(missing := rows[len(alike) :]):
            away = (columns != asked[missing[0]][:, None]).sum(0, dtype=np.int16)
            away[~free] = np.iinfo(np.int16).max
            deal(missing, np.argsort(away, kind="stable")[: len(missing)], 0)
            kinds[place] = rows, alike if len(alike) else np.flatnonzero(away == away.min())
    for rows, near in kinds:
        deal(rows, near[free[near]], 1)
    return Matched(kept, np.where(found >= 0, order[found], -1))


def _kinds(asked: np.ndarray, train: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """For all labels that are asked for: the rows of `asked` that have them, and the rows of `train`."""
    both = np.pad(np.concatenate([asked, train]), ((0, 0), (0, 1)))  # a column more, since there may be none
    codes = np.unique(both, axis=0, return_inverse=True)[1].reshape(-1)
    of_asked, of_train = codes[: len(asked)], codes[len(asked) :]
    kinds = np.unique(of_asked)
    return list(zip(_rows_with(kinds, of_asked), _rows_with(kinds, of_train), strict=True))


def _rows_with(kinds: np.ndarray, codes: np.ndarray) -> list[np.ndarray]:
    """The rows that have each kind's code, in ascending order."""
    order = np.argsort(codes, kind="stable")
    starts, ends = (np.searchsorted(codes[order], kinds, side) for side in ("left", "right"))
    return [order[start:end] for start, end in zip(starts, ends, strict=True)]


def averaged(results: Sequence[Results], shared: float) -> Results:
    """The mean results over subsets, each with its spread; what one subset has no result for is a dash.

    The spread is the standard deviation over subsets that share no image. If they share some, the standard deviation over them is too
    small, by the square root of 1 - `shared`.

    Args:
        results: of each subset, two or more.
        shared: the share of its images that a subset has in common with another one.
    """
    return {key: _average([each[key] for each in results], shared) for key in results[0]}


def _average(results: Sequence[float | Measured | Dash], shared: float) -> Measured | Dash:
    found: list[Measured] = []
    for each in results:
        if isinstance(each, Dash):
            return each
        found.append(each if isinstance(each, Measured) else Measured(float(each)))
    values, errors = [each.value for each in found], [each.standard_error or 0.0 for each in found]
    how = {**found[0].how, "subsets": len(found), "spread": stdev(values) / sqrt(1 - shared), **_by_label(found)}
    return Measured(fmean(values), how, None if found[0].standard_error is None else fmean(errors))


def _by_label(found: Sequence[Measured]) -> dict[str, object]:
    """The mean of each label over the subsets that have it, if the results are means over labels."""
    of_each: list[Any] = [each.how["by_label"] for each in found if "by_label" in each.how]
    labels = dict.fromkeys(label for each in of_each for label in each)
    means = {label: fmean(each[label] for each in of_each if label in each) for label in labels}
    return {"by_label": means} if means else {}
