"""What a table says of images, as the keys of `dataset` ask for it."""

import pytest

from vaeline.data.described import Described, describe
from vaeline.data.tables import read_table
from vaeline.study.schema import Dataset
from vaeline.system.errors import UserError


def described(header: str, rows: list[str], **options: object) -> Described:
    dataset = Dataset.model_validate({"id": "own", "name": "image_folder", "size": 8} | options)
    table = "\n".join([f"file,{header}", *(f"{row}.png,{cells}" for row, cells in enumerate(rows))])
    return describe(read_table(table.encode(), "t.csv"), dataset, "t.csv")


def test_a_column_with_one_value_is_no_label() -> None:
    found = described("x,y", ["1,a", "1,b", "1,a"])
    assert found.labels.names == ["y"]
    assert (
        found.notes[0]
        == "x: yes/no: no (0), yes (3); not a label: all images have the value yes, so that there is nothing to learn."
    )
    with pytest.raises(UserError, match="names 'x', which is no label: all images have the value yes"):
        described("x,y", ["1,a", "1,b", "1,a"], labels=["x"])
    with pytest.raises(
        UserError, match="The images have no label; set dataset.labels to none .* x: all images have the value red"
    ):
        described("x", ["red", "red"])


def test_one_value_and_empty_cells_are_refused_dropped_or_a_category() -> None:
    rows = ["x,1", ",0", "x,1", ",0"]
    with pytest.raises(UserError, match="a lacks a value in 2 of 4 rows"):
        described("a,b", rows)
    assert described("a,b", rows, missing="drop").labels.names == ["b"]
    assert len(described("a,b", rows, missing="drop").rows) == 4
    assert described("a,b", rows, missing="category").labels.values == [["x", "missing"], ["no", "yes"]]


def test_a_value_that_would_vanish_with_the_images_that_lack_another_is_refused() -> None:
    with pytest.raises(
        UserError,
        match="Leaving out the images that lack wild leaves no image of colour=c; set dataset.missing to category, or list other columns",
    ):
        described("colour,wild", ["a,1", "b,0", "a,0", "c,", "c,"], missing="drop")
    with pytest.raises(UserError, match="that lack a leaves no image of b=no; set"):
        described("a,b", ["x,1", "y,1", ",0"], missing="drop")


def test_a_bin_without_an_image_is_refused() -> None:
    with pytest.raises(UserError, match="that lack b leaves no image of age=35 and above; set dataset.missing"):
        described("age,b", ["10,1", "20,0", "30,1", "40,"], missing="drop", bins={"age": [15.0, 35.0]})
    with pytest.raises(
        UserError,
        match="dataset.bins: no age is in 50 and above; its numbers are from 10 to 30. Choose other edges.",
    ):
        described("age,b", ["10,1", "20,0", "30,1"], bins={"age": [15.0, 50.0]})


def test_values_that_look_the_same_are_refused_if_they_are_used() -> None:
    rows = ["cat,1", "cat\u200b,0", "dog,1"]
    with pytest.raises(UserError, match=r"t.csv: a has 'cat' and 'cat\\u200b', which look the same; write one"):
        described("a,b", rows)
    assert described("a,b", rows, labels=["b"]).labels.names == ["b"]


def test_an_empty_cell_of_a_group_is_refused_with_its_line() -> None:
    for rows in (["1,p", "0,", "1,q", "0,q"], ["1,p", "0,\u200b", "1,q", "0,q"]):
        with pytest.raises(UserError, match="t.csv, line 3: who is empty, but dataset.split.group names it; name"):
            described("x,who", rows, missing="category", split={"group": "who"})
        with pytest.raises(UserError, match="who lacks a value in 1 of 4 rows of t.csv .1.png in line 3"):
            described("x,who", rows, split={"group": "who"})
        assert described("x,who", rows, missing="drop", split={"group": "who"}).rows.tolist() == [0, 2, 3]


def test_the_size_of_groups_is_told() -> None:
    found = described("x,who", ["1,p", "0,q", "1,p"], split={"group": "who"})
    assert found.notes[-1] == "who: 2 groups of at most 2 images; all images of a group are in one split."


@pytest.mark.parametrize("words", [
    "train test extra", "Training PublicTest PrivateTest", "train_set testset held", "train_a test_a", "tr te va", "train extra",
    "train_x train_y test_x test_y",
])  # fmt: skip
def test_a_column_of_splits_beside_other_words_is_refused_unless_it_is_asked_for(words: str) -> None:
    rows = [f"{word},{row}" for row in (0, 1) for word in words.split()]
    with pytest.raises(
        UserError, match="column 'Usage' with the values .*, which seems to be a split .*dataset.labels"
    ):
        described("Usage,b", rows)
    assert described("Usage,b", rows, labels=["Usage"]).labels.names == ["Usage"]
    assert described("Usage,b", rows, labels=["b"]).notes[-1] == "Usage: not used; dataset.split.method is random."


@pytest.mark.parametrize(
    "name",
    [
        "train",
        "test",
        "is_test",
        "is_train",
        "isTrain",
        "val",
        "Validation Set",
        "fold",
        "train_flag",
        "test_mask",
        "in_training_set",
        "usedForTraining",
        "is_hold_out",
        "isTrain2017",
    ],
)
@pytest.mark.parametrize("values", ["0 1", "True False"])
def test_a_column_that_says_whether_an_image_is_of_a_split_is_refused_unless_asked_for(name: str, values: str) -> None:
    rows = [f"{word},{row}" for row in "xyz" for word in values.split()]
    with pytest.raises(UserError, match="write train, validation or test into its cells and set dataset.split to"):
        described(f"{name},b", rows)
    assert described(f"{name},b", rows, labels=[name]).labels.names == [name]


@pytest.mark.parametrize(
    "column",
    [
        "kind train car",
        "test positive negative",
        "what test_tube train_station",
        "country tr de fr",
        "kind extra pred",
        "kind blood_test strength_training walk swim sleep",
        "kind train car bus",
    ],
)
def test_words_that_only_resemble_a_split_are_labels(column: str) -> None:
    name, *words = column.split()
    assert described(name, words * 3).labels.names == [name]


@pytest.mark.parametrize("name", ["covid_test", "training_needed", "test_passed", "flag"])
def test_yes_or_no_about_something_else_than_a_split_is_a_label(name: str) -> None:
    assert described(name, ["0", "1", "1"]).labels.names == [name]


def test_one_value_beside_dropped_cells_says_how_many_were_dropped() -> None:
    found = described("a,b", ["x,1", ",0", "x,0", ",1"], missing="drop")
    assert found.notes[0].endswith(
        "all images have the value x once its 2 empty cells are dropped; missing: category makes them a value."
    )


def test_a_missing_value_that_is_a_category_is_told_as_one() -> None:
    found = described("a,b", ["x,1", ",0", "y,0", ",1"], missing="category")
    assert found.notes[0] == "a: 3 categories: x (1), y (1), missing (2)"


def test_a_word_that_cannot_be_binned_is_told_with_its_line() -> None:
    with pytest.raises(UserError, match="it has '-' in line 3; correct it, empty"):
        described("h", ["1", "-", "2"], bins={"h": 2})


def test_a_group_that_seems_to_be_missing_gets_a_remark() -> None:
    found = described("x,who", ["1,p", "0,-", "1,unknown", "0,p"], split={"group": "who"})
    assert found.notes[-2:] == [
        f"who: {word!r} is read as a group; empty its cells if it means that the group is missing."
        for word in ("-", "unknown")
    ]
