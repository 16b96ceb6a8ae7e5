"""What each column of a table is taken for."""

import numpy as np
import pytest

from vaeline.data.columns import MISSING_WORDS, NO_YES, Bins, read_column
from vaeline.system.errors import UserError

YES_OR_NO = [
    "0 1", "-1 1", "1 +1 -1", "0.0 1.0", "1 1.0 0", "0 1 1e0", "no yes", "No YES", "n Y", "false true", "TRUE FALSE", "True true false",
    "t F", "off ON", "1", "0", "-1", "1.0", "yes", "False",
]  # fmt: skip
YES = {"1", "+1", "1.0", "1e0", "yes", "y", "true", "t", "on"}


@pytest.mark.parametrize("words", YES_OR_NO)
def test_yes_and_no_are_known_in_every_spelling(words: str) -> None:
    column = read_column("a", words.split())
    assert (column.kind, column.values) == ("yes/no", NO_YES)
    assert column.codes.tolist() == [int(word.lower() in YES) for word in words.split()]


@pytest.mark.parametrize("words", ["0 1 NO", "yes no True", "-1 1 no", "yes no 1", "false true OFF"])
def test_yes_and_no_may_be_spelled_in_several_ways(words: str) -> None:
    column = read_column("a", words.split())
    assert (column.kind, column.values) == ("yes/no", NO_YES)
    assert column.codes.tolist() == [int(word.lower() in YES) for word in words.split()]
    assert column.remarks == [f"a: {', '.join(map(repr, words.split()))} are all read as yes or no."]


@pytest.mark.parametrize(
    "words",
    ["F M", "F", "y", "yes maybe", "1 2", "0 1 -1", "yes 1", "blue", "1 yes", "n m", "n y f", "0 1 t", "0 -1 1 no"],
)
def test_other_words_are_not_yes_or_no(words: str) -> None:
    assert read_column("a", words.split()).kind != "yes/no"


@pytest.mark.parametrize("word", sorted(MISSING_WORDS))
def test_missing_values_are_counted_and_get_no_value(word: str) -> None:
    column = read_column("gender", ["f", word, "m", word, word])
    assert column.codes.tolist() == [0, -1, 1, -1, -1] and column.values == ["f", "m"]
    assert column.describe() == "gender: 2 categories (f 1, m 1), 3 missing"


@pytest.mark.parametrize("word", ["none", "Nan", "na", "-", "missing", "0", "NO"])
def test_words_that_may_mean_something_are_not_missing(word: str) -> None:
    assert read_column("a", [word, word]).missing == 0


def test_whole_numbers_are_sorted_as_numbers_and_equal_ones_are_one() -> None:
    column = read_column("digit", ["10", "9", "2", "2.0", "1", "1.0", "01"])
    assert column.values == ["1", "2", "9", "10"] and column.codes.tolist() == [3, 2, 1, 1, 0, 0, 0]
    assert column.describe() == "digit: 4 categories (1 3, 2 2, 9 1, 10 1)"


def test_a_number_that_begins_with_zeros_keeps_its_name() -> None:
    assert read_column("class", ["01", "02", "10", "00"]).values == ["00", "01", "02", "10"]


def test_long_numbers_are_not_rounded() -> None:
    assert read_column("id", ["12345678901234567890", "12345678901234567891"]).values == [
        "12345678901234567890",
        "12345678901234567891",
    ]


@pytest.mark.parametrize(
    "words", [[str(age) for age in range(18, 115)], [str(x / 7) for x in range(20)], [f"{x},5" for x in range(97)]]
)
def test_a_continuous_column_is_no_label(words: list[str]) -> None:
    column = read_column("age", words, decimal_comma=True)
    assert column.values == [] and column.missing == 0
    assert f"age: {len(words)} numbers from " in column.describe()
    assert "not a label: it is continuous; to make it one, bin it, as in `dataset.bins: {age: 5}`" in column.describe()


def test_a_column_of_names_is_no_label() -> None:
    for count, each in ((1001, 3), (50, 1)):
        column = read_column("file", [f"name {row}" for row in range(count)] * each)
        assert not column.values and f"{count:,} different words" in column.describe()
    assert read_column("class", [f"class {row}" for row in range(50)] * 3).values


@pytest.mark.parametrize("word", ["1e999", "inf", "1_000", "٣", "0x10", "--1", ".", "e5"])
def test_words_that_only_resemble_numbers_are_words(word: str) -> None:
    assert read_column("a", [word, "5"]).values == sorted([word, "5"])


def test_an_empty_column_is_no_label() -> None:
    assert read_column("a", ["", "NaN"]).describe() == "a: empty, 2 missing; not a label: it has no value."


def test_edges_bin_numbers_and_belong_to_the_upper_bin() -> None:
    column = read_column("age", ["17", "18", "39.5", "40", "", "99"], [18.0, 40.0])
    assert column.values == ["below 18", "18 to 40", "40 and above"]
    assert column.codes.tolist() == [0, 1, 1, 2, -1, 2]


@pytest.mark.parametrize("bins", [2, 3, 5, 10])
def test_bins_have_equally_many_numbers(bins: int) -> None:
    numbers = np.random.default_rng(0).lognormal(2, 1, 1000)
    column = read_column("mass", [f"{number:.6f}" for number in numbers], bins)
    assert len(column.values) == bins and column.kind == f"numbers in {bins} bins"
    assert np.abs(np.bincount(column.codes) - 1000 / bins).max() <= 20
    order = np.argsort(numbers)
    assert (np.diff(column.codes[order]) >= 0).all()


def test_numbers_that_repeat_leave_fewer_bins() -> None:
    column = read_column("n", ["0"] * 90 + ["1"] * 5 + ["2"] * 5, 10)
    assert column.values == ["below 1", "1 and above"] and np.bincount(column.codes).tolist() == [90, 10]
    assert not read_column("n", ["3"] * 9, 4).values


def test_each_number_may_be_a_category() -> None:
    column = read_column("class", [str(number) for number in range(100)], "each")
    assert column.values == [str(number) for number in range(100)]
    assert not read_column("class", [str(number) for number in range(1001)], "each").values


@pytest.mark.parametrize("bins", [3, [1.0], "each"])
def test_words_cannot_be_binned(bins: Bins) -> None:
    with pytest.raises(UserError, match="dataset.bins names 'colour', which is not a column of numbers: it has 'blue'"):
        read_column("colour", ["1", "blue"], bins)


def test_words_that_look_alike_are_named() -> None:
    column = read_column("colour", ["Blue", "blue", "light  grey", "light grey", "red"])
    assert len(column.values) == 5
    assert column.remarks == [
        "colour: 'Blue' and 'blue' differ only in case or blanks, and are different values.",
        "colour: 'light  grey' and 'light grey' differ only in case or blanks, and are different values.",
    ]


def test_the_counts_of_many_values_are_cut() -> None:
    column = read_column("class", [f"c{row:03}" for row in range(100)] * 3)
    assert column.describe().endswith("c011 3, and 88 more)")
