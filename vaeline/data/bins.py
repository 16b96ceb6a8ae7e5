"""Bins of numbers, which make labels out of a column of measurements."""

from itertools import pairwise

import numpy as np

from vaeline.data.numbers import in_short

Bins = str | int | list[float]  # of `dataset.bins`: `each`, a number of bins, or their edges


def edges_of(numbers: np.ndarray, bins: int | list[float]) -> list[float]:
    """The edges between bins, those that are given or quantiles; empty if the numbers are all equal.

    Args:
        numbers: of each row, (n,).
        bins: how many, or their edges.
    """
    return [float(edge) for edge in bins] if isinstance(bins, list) else _quantiles(numbers, bins)


def names_of(edges: list[float]) -> list[str]:
    """The names of the bins between edges: `below 20`, `20 to 40`, `40 and above`."""
    names = [in_short(edge) for edge in edges]
    between = [f"{low} to {high}" for low, high in pairwise(names)]
    return [f"below {names[0]}", *between, f"{names[-1]} and above"]


def _quantiles(numbers: np.ndarray, bins: int) -> list[float]:
    """Edges that leave about equally many numbers in each bin, as short as they can be and all different.

    Equal numbers are in one bin. Numbers that repeat often may leave fewer bins.
    """
    exact = np.unique(np.quantile(numbers, np.arange(1, bins) / bins, method="higher"))
    for digits in range(2, 18):
        edges = [float(f"{edge:.{digits}g}") for edge in exact]
        inside = [edge for edge in edges if numbers.min() < edge <= numbers.max()]
        filled = np.bincount(np.searchsorted(inside, numbers, side="right"), minlength=len(inside) + 1)
        if len(set(edges)) == len(edges) and filled.all() and _close(edges, exact, numbers):
            return inside
    return [edge for edge in exact.tolist() if edge > numbers.min()]


def _close(edges: list[float], exact: np.ndarray, numbers: np.ndarray) -> bool:
    """Whether at most a hundredth of the numbers lie between an edge and its rounded form."""
    return all(
        abs(int((numbers < edge).sum()) - int((numbers < quantile).sum())) <= len(numbers) / 100
        for edge, quantile in zip(edges, exact, strict=True)
    )
