"""Combinations of labels that are kept out of training."""

from dataclasses import replace

import numpy as np
import pytest
from pydantic import ValidationError

from vaeline.data.facts import Facts
from vaeline.data.held_out import hold_out
from vaeline.study.schema import Split
from vaeline.system.errors import UserError

FACTS = Facts(
    "tiny", (1, 8, 8), 17, (0.0, 1.0), ["colour", "size"], [["red", "green"], ["small", "large", "huge"]],
    held_out=[{"colour": "green", "size": "huge"}],
)  # fmt: skip
CODES = np.array([[colour, size] for colour in range(2) for size in range(3)] * 20)
DEALT = dict(
    zip(("train", "validation", "test"), np.split(np.random.default_rng(0).permutation(120), [80, 100]), strict=True)
)


def test_no_training_or_validation_image_keeps_a_held_out_pair() -> None:
    found = hold_out(DEALT, CODES, FACTS, 0)
    held = (CODES == [1, 2]).all(1)
    assert held.sum() == 20
    assert not held[found["train"]].any() and not held[found["validation"]].any() and held[found["test"]].sum() == 20
    assert sorted(np.concatenate(list(found.values()))) == list(range(120))  # no image is lost
    # Each value is still there by itself, in another pair.
    assert (CODES[found["train"]][:, 0] == 1).any() and (CODES[found["train"]][:, 1] == 2).any()
    for name in ("train", "validation"):
        assert found[name].tolist() == [row for row in DEALT[name] if not held[row]]  # in the same order
    assert 2 < held[found["test"][:20]].sum() < 18  # among the others, as its first images are a fair sample


def test_without_combinations_nothing_moves() -> None:
    found = hold_out(DEALT, CODES, replace(FACTS, held_out=[]), 0)
    assert all(np.array_equal(found[name], rows) for name, rows in DEALT.items())


WRONG = {
    "a label": ([{"colour": "red", "shape": "round"}], "There is no label 'shape'"),
    "a value": ([{"colour": "blue", "size": "huge"}], "colour has no value 'blue'"),
    "all of train": (
        [{"colour": colour, "size": size} for colour in ("red", "green") for size in ("small", "large", "huge")],
        "dataset.split.held_out leaves 0 images for train, which needs 2 at least",
    ),
}


@pytest.mark.parametrize(("held_out", "sentence"), WRONG.values(), ids=WRONG)
def test_a_wrong_combination_is_refused(held_out: list[dict[str, str]], sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        hold_out(DEALT, CODES, replace(FACTS, held_out=held_out), 0)


def test_a_combination_that_no_image_has_is_refused() -> None:
    others = CODES[(CODES != [1, 2]).any(1)]
    dealt = {name: np.arange(first, 100, 3) for first, name in enumerate(DEALT)}
    with pytest.raises(UserError, match="held_out names colour=green and size=huge, which no image has"):
        hold_out(dealt, others, FACTS, 0)


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"held_out": [{"Male": "yes"}]}, "at least 2"),
        ({"held_out": [{"a": "b", "c": "d"}], "group": "person"}, "do not go together"),
    ],
)
def test_a_single_label_and_groups_are_refused(settings: dict[str, object], sentence: str) -> None:
    with pytest.raises(ValidationError, match=sentence):
        Split.model_validate(settings)
