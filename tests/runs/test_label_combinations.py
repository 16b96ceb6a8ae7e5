"""Combinations of labels that no training image has."""

import numpy as np

from vaeline.data.facts import Facts
from vaeline.runs.label_combinations import unseen, unseen_in_words

FACTS = Facts("blots", (1, 4, 4), 8, (0.0, 1.0), ["digit", "even", "thick"], [["2", "3"], ["no", "yes"], ["no", "yes"]])
TRAINING = np.array([[0, 1, 0], [0, 1, 1], [1, 0, 0]])


def test_chosen_labels_that_never_occur_together_are_named() -> None:
    assert unseen(np.array([[1, 1, 0]] * 3), TRAINING, FACTS, ["digit", "even"]) == ["digit=3 with even=yes"]
    assert unseen(np.array([[1, 0, 0]] * 3), TRAINING, FACTS, ["digit", "even"]) == []


def test_a_chosen_label_is_compared_with_labels_that_are_copied() -> None:
    labels = np.array([[1, 0, 0], [1, 1, 0], [1, 0, 1]])
    assert unseen(labels, TRAINING, FACTS, ["digit"]) == ["digit=3 with even=yes", "digit=3 with thick=yes"]
    assert unseen(labels, TRAINING, FACTS, []) == []


def test_a_value_that_never_occurs_at_all_is_left_to_another_warning() -> None:
    assert unseen(np.array([[1, 0, 1]]), TRAINING[:2], FACTS, ["digit", "thick"]) == []


def test_a_sentence_names_few_combinations() -> None:
    facts = Facts("many", (1, 4, 4), 8, (0.0, 1.0), ["a", "b"], [["0", "1"], [str(each) for each in range(20)]])
    training = np.array([[0, each] for each in range(20)] + [[1, 0]])
    words = unseen_in_words(np.array([[1, each] for each in range(20)]), training, facts, ["a"])
    assert words.startswith("No training image has a=1 with b=1, a=1 with b=2, ")
    assert words.endswith("a=1 with b=8 and 11 more; a model has learned nothing about such a combination.")
    assert unseen_in_words(training, training, facts, ["a"]) == ""
