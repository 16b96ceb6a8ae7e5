"""Values of labels: named or given by their place, and those that no training image has."""

import warnings
from dataclasses import replace

import numpy as np
import pytest

from vaeline.data.facts import Facts, RareLabels, UnseenLabels
from vaeline.system.errors import UserError

VALUES = {
    "digit": [str(digit) for digit in range(10)],
    "class": ["1", "2", "3", "4", "5"],
    "Smiling": ["no", "yes"],
    "age": ["below 18", "18 to 40", "40 and above"],
    "code": ["01", "02"],
    "colour": ["blue", "red"],
}
LABELLED = Facts("tiny", (1, 4, 4), 256, (-1, 1), list(VALUES), list(VALUES.values()))


@pytest.mark.parametrize(
    ("name", "asked", "index"),
    [
        ("digit", 3, 3), ("digit", "3", 3), ("digit", np.int64(3), 3), ("class", 1, 0), ("class", "5", 4), ("Smiling", "yes", 1),
        ("Smiling", 1, 1), ("Smiling", "0", 0), ("age", "18 to 40", 1), ("code", "01", 0), ("colour", 1, 1),
    ],
)  # fmt: skip
def test_a_value_is_found_by_its_name_or_its_place(name: str, asked: str | int, index: int) -> None:
    assert LABELLED.label(name, asked) == (list(VALUES).index(name), index)


@pytest.mark.parametrize(
    ("name", "asked", "sentence"),
    [
        ("class", "0", "class has no value '0'; it has: 1, 2, 3, 4, 5.$"),
        ("class", "01", "class has no value '01'"),
        ("class", 0, "class has no value '0'"),
        ("digit", 10, "digit has no value '10'"),
        ("code", 1, "code has no value '1'; it has: 01, 02.$"),
        ("age", 1, "age has no value '1'"),
        ("Smiling", 2, "Smiling has no value '2'; it has: no, yes. A place from 0 to 1 is understood too."),
        ("Smiling", "01", "Smiling has no value '01'"),
        ("colour", -1, "colour has no value '-1'"),
        ("colour", "٠", "colour has no value"),
    ],
)
def test_a_number_is_a_place_only_where_no_value_contains_one(name: str, asked: str | int, sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        LABELLED.label(name, asked)


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


def test_values_of_few_training_images_cannot_be_learned() -> None:
    facts = replace(FACTS, training_counts=[[4, 5, 0], [8, 1]])
    labels = np.array([[0, 0], [1, 1], [2, 0]])
    assert facts.learnable(labels).tolist() == [[-1, 0], [1, -1], [-1, 0]]
    assert replace(FACTS, training_counts=[]).learnable(labels).tolist() == labels.tolist()
    with pytest.warns(
        RareLabels,
        match=r"Fewer than 5 training images have digit=0 \(4\), digit=2 \(0\), dark=yes \(1\)\. The classifier never",
    ):
        facts.warn_of_rare()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        replace(FACTS, training_counts=[[5, 5, 5], [8, 7]]).warn_of_rare()


@pytest.mark.parametrize(
    ("counts", "kept"),
    [
        ([500, 1], [0]),  # the single row would be half of the mean
        ([500, 4], [0]),
        ([500, 5], [0, 1]),  # one row of five of one of two values moves the mean by 0.1
        ([100, 100, 1], [0, 1]),
        ([100, 4, 4], [0, 1, 2]),
        ([100, 3, 5], [0, 2]),
        ([4, 4], []),
        ([1] * 10, list(range(10))),
        ([1] * 9, []),
    ],
)
def test_a_value_counts_if_one_row_moves_the_mean_by_a_tenth_at_most(counts: list[int], kept: list[int]) -> None:
    facts = replace(FACTS, label_names=["a"], label_values=[list(map(str, range(len(counts))))], training_counts=[])
    judged = facts.judged(np.repeat(np.arange(len(counts)), counts)[:, None])
    assert np.unique(judged[judged >= 0]).tolist() == kept
    assert len(facts.missing_values(judged)) == (1 if len(kept) < 2 else len(counts) - len(kept))
