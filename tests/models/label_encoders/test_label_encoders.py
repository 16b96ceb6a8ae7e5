"""Every label encoder found on disk: its shape, and which labels a vector depends on."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.conftest import every, scramble
from tests.models.own_part import own_part
from vaeline.models.contracts import Context, LabelEncoder
from vaeline.study import parts
from vaeline.system.errors import UserError

CARDINALITIES = (2, 3, 2, 2, 4)
MIXED = pytest.mark.parametrize("name", ["attention", "convolution"])


def build(name: str, embedding: int | None = 4, **options: Any) -> Any:
    context = Context((1, 8, 8), (2,), 0, 0, 0, 100, CARDINALITIES, embedding)
    return parts.build(LabelEncoder, parts.validate("label_encoders", {"name": name, **options}), context)


@every("label_encoders")
def test_a_condition_has_the_size_and_columns_that_it_says(name: str) -> None:
    encoder = build(name)
    assert encoder.columns in (1, 5)
    assert encoder(torch.zeros(3, 5, dtype=torch.long)).shape == (3, encoder.size)


@pytest.mark.parametrize("name", parts.built_in("label_encoders"))
def test_a_condition_is_a_vector_for_each_label(name: str) -> None:
    encoder = build(name)
    assert (encoder.columns, encoder.size) == (5, 20)


OWN = own_part(
    "LabelEncoder",
    """
    size, columns = 7, 5

    def forward(self, labels):
        return torch.zeros(len(labels), 7)
""",
)


def test_columns_of_unequal_lengths_are_refused(write_own: Callable[..., Path]) -> None:
    write_own("label_encoders", "mine", OWN)
    with pytest.raises(UserError, match="its size is 7, which 5 columns of the same length do not make up; make"):
        build("mine")


@every("label_encoders")
def test_every_label_changes_the_condition(name: str) -> None:
    encoder, labels = scramble(build(name)), torch.zeros(1, 5, dtype=torch.long)
    for column in range(5):
        other = labels.clone()
        other[0, column] = 1
        assert not torch.allclose(encoder(labels), encoder(other))


def reaches(encoder: Any, column: int) -> list[bool]:
    """Which vectors of the condition a label changes."""
    labels = torch.zeros(1, 5, dtype=torch.long)
    other = labels.clone()
    other[0, column] = 1
    difference = (encoder(labels) - encoder(other)).abs().view(5, -1).sum(1)
    return (difference > 1e-6).tolist()


def test_a_table_keeps_labels_apart() -> None:
    assert reaches(scramble(build("table")), 2) == [False, False, True, False, False]


def test_a_convolution_sees_its_neighbours() -> None:
    """One layer of two kernels of 3 reaches two places to either side."""
    assert reaches(scramble(build("convolution", layers=1)), 0) == [True, True, True, False, False]
    assert reaches(scramble(build("convolution", layers=1, kernel=1)), 0) == [True, False, False, False, False]


def test_attention_sees_all_labels() -> None:
    assert reaches(scramble(build("attention", layers=1, heads=2)), 0) == [True] * 5


def test_without_an_embedding_labels_are_one_hot_or_refused() -> None:
    table = build("table", None)
    assert (table.columns, table.size) == (1, 13)
    assert table(torch.tensor([[1, 2, 0, 1, 3]])).tolist() == [[0, 1, 0, 0, 1, 1, 0, 0, 1, 0, 0, 0, 1]]


@MIXED
def test_one_hot_labels_cannot_be_mixed(name: str) -> None:
    with pytest.raises(UserError, match=f"label encoder {name} needs .* condition.embedding is null"):
        build(name, None)


REFUSED = {
    "heads": ("attention", {"heads": 3}, "condition.labels.heads is 3, which does not divide condition.embedding, 4"),
    "kernel": ("convolution", {"kernel": 4}, "condition.labels.kernel is 4, but must be odd"),
}


@pytest.mark.parametrize(("name", "options", "sentence"), REFUSED.values(), ids=REFUSED)
def test_sizes_that_do_not_fit_are_refused(name: str, options: Any, sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        build(name, **options)
