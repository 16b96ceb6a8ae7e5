"""Label columns are read, encoded and chosen."""

import numpy as np
import pytest

from vaeline.data.columns import read_column
from vaeline.data.labels import Labels, of_classes, of_columns
from vaeline.system.errors import UserError

COLUMNS = {
    "rare": ["0", "0", "1", "0"],
    "always": ["1", "1", "1", "1"],
    "half": ["-1", "1", "1", "-1"],
    "colour": ["red", "blue", "red", "sky"],
    "never": ["-1", "-1", "-1", "-1"],
}
LABELS = of_columns(read_column(name, words) for name, words in COLUMNS.items())


@pytest.mark.parametrize(
    ("choice", "names"),
    [
        ("all", ["rare", "always", "half", "colour", "never"]),
        ("most_frequent:1", ["always"]),
        ("most_frequent:3", ["rare", "always", "half"]),  # in the order of the table
        ("most_frequent:4", ["rare", "always", "half", "never"]),
        (["half", "rare"], ["half", "rare"]),
    ],
)
def test_chosen_columns_are_kept(choice: str | list[str], names: list[str]) -> None:
    labels, chosen = LABELS, LABELS.choose(choice)
    assert chosen.names == names
    for column, name in enumerate(names):
        assert (chosen.codes[:, column] == labels.codes[:, labels.names.index(name)]).all()


@pytest.mark.parametrize(
    ("choice", "sentence"),
    [
        (["half", "whole"], "'whole'; there are: rare, always, half, colour, never"),
        (["half", "half"], "twice"),
        ([], "is empty"),
        ("most_frequent:5", "'most_frequent:5'; allowed .* 4"),
        ("most_frequent:0", "'most_frequent:0'"),
        ("most", "'most'; allowed are `all`"),
    ],
)
def test_impossible_choices_are_refused(choice: str | list[str], sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        LABELS.choose(choice)


def test_of_equally_frequent_attributes_the_earlier_is_kept() -> None:
    labels = Labels(["a", "b", "c"], [["no", "yes"]] * 3, np.array([[0, 1, 1], [0, 0, 0], [0, 0, 0]]))
    assert labels.choose("most_frequent:1").names == ["b"]


def test_a_column_of_measurements_is_passed_over_and_refused_by_name() -> None:
    width = read_column("width", [str(number / 7) for number in range(1001)])
    labels = of_columns([width, read_column("round", ["1"] * 1001)])
    assert labels.choose("all").names == ["round"]
    with pytest.raises(
        UserError, match=r"names 'width', which is no label: it is continuous.*dataset.bins: {width: 5}"
    ):
        labels.choose(["width"])
    with pytest.raises(
        UserError, match=r"The images have no label; set dataset.labels to none .* width: it is continuous"
    ):
        of_columns([width]).choose("all")


def test_a_missing_value_does_not_count_as_yes_or_no() -> None:
    columns = [read_column("gaps", ["1", "", "", "0"]), read_column("full", ["0", "1", "1", "0"])]
    assert of_columns(columns).choose("most_frequent:1").names == ["full"]


def test_classes_named_0_and_1_keep_their_names() -> None:
    labels = of_classes("digit", ["0", "1"], np.array([1, 0, 1]))
    assert labels.values == [["0", "1"]] and labels.codes.tolist() == [[1], [0], [1]]


def test_labels_are_factors_if_all_combinations_are_equally_frequent() -> None:
    names, values = ["shape", "size"], [["round", "square"], ["small", "middle", "large"]]
    whole = np.stack(np.unravel_index(np.arange(6), (2, 3)), 1)
    assert Labels(names, values, whole).factorial
    assert Labels(names, values, np.concatenate([whole, whole])).factorial
    assert not Labels(names, values, whole[:5]).factorial
    assert not Labels(names, values, np.concatenate([whole, whole[:1]])).factorial
    assert not Labels(names[:1], values[:1], whole[:, :1]).factorial
