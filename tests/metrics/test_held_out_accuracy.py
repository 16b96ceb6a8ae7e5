"""The accuracy of held-out combinations by hand."""

import numpy as np

from vaeline.metrics.held_out_accuracy import held_out_accuracy

PAIRS = {"a": {0: 1, 2: 0}, "b": {1: 1, 2: 1}, "never asked": {0: 0, 1: 0}}
REQUESTED = np.array([[1, 1, 0], [1, 1, 0], [1, 0, 0], [0, 1, 1]])


def test_a_sample_counts_if_all_values_of_the_pair_are_seen() -> None:
    predicted = np.array([[1, 0, 0], [1, 1, 1], [0, 0, 0], [1, 1, 1]])
    assert held_out_accuracy(predicted, REQUESTED, PAIRS) == {"a": 1 / 3, "b": 1.0}


def test_perfect_samples_score_one() -> None:
    assert held_out_accuracy(REQUESTED, REQUESTED, PAIRS) == {"a": 1.0, "b": 1.0}
