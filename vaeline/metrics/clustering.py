"""Clustering: whether latents fall into clusters that are the labels (adjusted mutual information: Vinh et al., 2010)."""

from collections.abc import Sequence
from functools import cache, partial

import numpy as np

from vaeline.metrics._counted import values_in
from vaeline.metrics._entry import Metric

METRICS = [
    Metric(
        "clustering",
        group="Representation",
        meaning="agreement of clusters of latents with labels",
        definition="Adjusted mutual information of the label with k-means clusters of codes without their noise, as many as it has values.",
        better="higher",
    )
]

STARTS = 4  # of k-means; the best one is taken
NUMPY_SEEDS = 2**32  # how many there are


def clustering(codes: np.ndarray, labels: np.ndarray, names: Sequence[str], seed: int) -> dict[str, float]:
    """Cluster codes by k-means, and compare the clusters with the labels.

    Dimensions are not scaled: uninformative ones, whose variance is small, would count as much as others.

    Args:
        codes: (images, dimensions).
        labels: int (images, columns); -1 for values that do not count.
        names: of the columns.
        seed: of the starts of k-means.

    Returns:
        Adjusted mutual information by name, for the columns that have two values or more: 1 if clusters are labels, about 0 if they
        say nothing of each other.
    """
    from sklearn.metrics import adjusted_mutual_info_score

    clusters_of = cache(partial(_clusters, codes, seed))  # columns with equally many values have the same clusters
    return {
        name: float(adjusted_mutual_info_score(column[column >= 0], clusters_of(len(values))[column >= 0]))
        for name, column in zip(names, labels.T, strict=True)
        if len(values := values_in(column)) > 1
    }


def _clusters(codes: np.ndarray, seed: int, count: int) -> np.ndarray:
    """The cluster of each code, (images,); fewer than `count` clusters if there are fewer different codes."""
    from sklearn.cluster import KMeans

    different = len(np.unique(codes, axis=0))
    found: np.ndarray = KMeans(min(count, different), n_init=STARTS, random_state=seed % NUMPY_SEEDS).fit_predict(codes)
    return found
