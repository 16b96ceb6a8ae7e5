"""Labels that no training image has are known from the facts alone."""

import warnings
from dataclasses import replace

import numpy as np
import pytest

from vaeline.data.facts import Facts, UnseenLabels

FACTS = Facts(
    "tiny", (1, 2, 2), 256, (0.0, 1.0), ["digit", "dark"], [["0", "1", "2"], ["no", "yes"]],
    training_counts=[[3, 0, 5], [8, 0]],
)  # fmt: skip


def test_values_that_training_never_saw_are_counted() -> None:
    labels = np.array([[0, 0], [1, 0], [1, 1], [2, 1]])
    assert FACTS.unseen(labels) == {"digit=1": 2, "dark=yes": 2}
    with pytest.warns(
        UnseenLabels, match=r"3 of 4 test images have a label .*: digit=1 \(2\), dark=yes \(2\); a model"
    ):
        FACTS.warn_of_unseen(labels, "test images")


def test_seen_values_and_unknown_counts_give_no_warning() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        FACTS.warn_of_unseen(np.array([[0, 0], [2, 0]]), "test images")
        replace(FACTS, training_counts=[]).warn_of_unseen(np.array([[1, 1]]), "test images")


def test_a_warning_names_eight_values_at_most() -> None:
    facts = replace(
        FACTS, label_names=["id"], label_values=[[str(value) for value in range(500)]], training_counts=[[0] * 500]
    )
    words = facts.unseen_in_words(np.arange(500)[:, None], "test images")
    assert "500 of 500" in words and "id=7 (1) and 492 more" in words and "id=8" not in words
