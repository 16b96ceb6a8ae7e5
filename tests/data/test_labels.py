"""Label columns are read, encoded and chosen."""

import numpy as np
import pytest

from vaeline.data.labels import Labels, Table, of_classes, read_table
from vaeline.system.errors import UserError

TABLE = Table(
    ["1.png", "2.png", "3.png", "4.png"],
    ["rare", "always", "half", "colour", "never"],
    [
        ["0", "1", "-1", "red", "-1"],
        ["0", "1", "1", "blue", "-1"],
        ["1", "1", "1", "red", "-1"],
        ["0", "1", "-1", "sky", "-1"],
    ],
)


def test_yes_and_no_are_recognised_and_others_sorted() -> None:
    labels = TABLE.labels()
    assert labels.values == [["no", "yes"], ["no", "yes"], ["no", "yes"], ["blue", "red", "sky"], ["no", "yes"]]
    assert labels.codes.tolist() == [[0, 1, 0, 1, 0], [0, 1, 1, 0, 0], [1, 1, 1, 1, 0], [0, 1, 0, 2, 0]]


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
    labels, chosen = TABLE.labels(), TABLE.labels().choose(choice)
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
        TABLE.labels().choose(choice)


def test_of_equally_frequent_attributes_the_earlier_is_kept() -> None:
    labels = Labels(["a", "b", "c"], [["no", "yes"]] * 3, np.array([[0, 1, 1], [0, 0, 0], [0, 0, 0]]))
    assert labels.choose("most_frequent:1").names == ["b"]


def test_a_column_of_measurements_is_refused_unless_excluded() -> None:
    rows = [[str(number / 7), "1"] for number in range(1001)]
    labels = Table([str(number) for number in range(1001)], ["width", "round"], rows).labels()
    with pytest.raises(UserError, match="'width', which has 1,001 different values"):
        labels.choose("all")
    assert labels.choose(["round"]).codes.shape == (1001, 1)


def test_classes_named_0_and_1_keep_their_names() -> None:
    labels = of_classes("digit", ["0", "1"], np.array([1, 0, 1]))
    assert labels.values == [["0", "1"]] and labels.codes.tolist() == [[1], [0], [1]]


@pytest.mark.parametrize(
    "text",
    [
        "2\nx y \na.jpg -1  1\nb.jpg  1 -1\n",
        "id,x,y\na.jpg,-1,1\nb.jpg,1,-1\n",
        '\ufeffid, x, y\r\n"a.jpg",-1, 1\r\n\r\nb.jpg,1,-1\r\n',
    ],
)
def test_tables_are_read_as_text_or_csv(text: str) -> None:
    table = read_table(text, "table")
    assert (table.ids, table.names, table.rows) == (["a.jpg", "b.jpg"], ["x", "y"], [["-1", "1"], ["1", "-1"]])


def test_a_table_without_a_header_gets_one() -> None:
    assert read_table("a.jpg 0\r\nb.jpg 2\r\n", "table", ["partition"]).rows == [["0"], ["2"]]


@pytest.mark.parametrize("text", ["", "\n\n", "id,x\n", "x y\n", "a.jpg\n"])
def test_a_table_without_rows_is_refused(text: str) -> None:
    with pytest.raises(UserError, match="table.txt holds no table of images"):
        read_table(text, "table.txt")


def test_labels_are_factors_if_all_combinations_are_equally_frequent() -> None:
    names, values = ["shape", "size"], [["round", "square"], ["small", "middle", "large"]]
    whole = np.stack(np.unravel_index(np.arange(6), (2, 3)), 1)
    assert Labels(names, values, whole).factorial
    assert Labels(names, values, np.concatenate([whole, whole])).factorial
    assert not Labels(names, values, whole[:5]).factorial
    assert not Labels(names, values, np.concatenate([whole, whole[:1]])).factorial
    assert not Labels(names[:1], values[:1], whole[:, :1]).factorial
