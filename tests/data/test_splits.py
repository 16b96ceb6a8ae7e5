"""Words that may mean a split are recognised."""

import pytest

from vaeline.data.splits import SPLIT_WORDS, seems_split


@pytest.mark.parametrize(
    "word",
    [
        *SPLIT_WORDS,
        "eval",
        "Train2017",
        "val2017",
        "train_images",
        "test_images",
        "trainset",
        "holdout",
        "hold-out",
        "validate",
        "Trainingsdaten",
        "Testbilder",
        "Validierung",
        "entraînement",
    ],
)
def test_words_of_splits_are_seen(word: str) -> None:
    assert seems_split(word)


@pytest.mark.parametrize("word", ["trains", "cat", "tests and trials", "testimony", "valley", "device", "", "trainer"])
def test_other_words_are_no_splits(word: str) -> None:
    assert not seems_split(word)
