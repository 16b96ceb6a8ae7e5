"""What each column of a table is taken for."""

import pytest

from vaeline.data.bins import Bins
from vaeline.data.columns import MISSING_WORDS, read_column
from vaeline.system.errors import UserError


@pytest.mark.parametrize("word", sorted(MISSING_WORDS))
def test_missing_values_are_counted_and_get_no_value(word: str) -> None:
    column = read_column("gender", ["f", word, "m", word, word])
    assert column.codes.tolist() == [0, -1, 1, -1, -1] and column.values == ["f", "m"]
    assert column.describe() == "gender: 2 categories: f (1), m (1); 3 missing"


@pytest.mark.parametrize("word", ["none", "Nan", "na", "-", "missing", "0", "NO"])
def test_words_that_may_mean_something_are_not_missing(word: str) -> None:
    assert read_column("a", [word, word]).missing == 0


def test_whole_numbers_are_sorted_as_numbers_and_equal_ones_are_one() -> None:
    column = read_column("digit", ["10", "9", "2", "2.0", "1", "1.0", "01"])
    assert column.values == ["1", "2", "9", "10"] and column.codes.tolist() == [3, 2, 1, 1, 0, 0, 0]
    assert column.describe() == "digit: 4 categories: 1 (3), 2 (2), 9 (1), 10 (1)"
    assert column.remarks == ["digit: '2', '2.0' are one number, and one value; 1 more are written in several ways."]


def test_a_number_that_begins_with_zeros_keeps_its_name() -> None:
    assert read_column("class", ["01", "02", "10", "00"]).values == ["00", "01", "02", "10"]


def test_long_numbers_are_not_rounded() -> None:
    assert read_column("id", ["12345678901234567890", "12345678901234567891"]).values == [
        "12345678901234567890",
        "12345678901234567891",
    ]


def test_numbers_of_more_digits_than_a_decimal_has_stay_apart() -> None:
    long = [f"0.{'1' * 30}{digit}" for digit in (1, 2, 3)]
    assert read_column("h", [*long, "1.50"], "each").values == [*long, "1.5"]


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


@pytest.mark.parametrize("kind", ["{}", "a{}"])
def test_a_column_of_different_values_is_no_label(kind: str) -> None:
    words = [kind.format(row) for row in range(10)]
    assert read_column("id", words).reason == "every image has another value."
    assert len(read_column("id", words[:9]).values) == 9


def test_line_ends_in_values_are_shown_as_blanks() -> None:
    assert read_column("a", ["x\ny", "z"]).describe() == "a: 2 categories: x y (1), z (1)"


def test_an_empty_column_is_no_label() -> None:
    assert read_column("a", ["", "NaN"]).describe() == "a: empty; 2 missing; not a label: it has no value."


def test_each_number_may_be_a_category() -> None:
    column = read_column("class", [str(number) for number in range(100)], "each")
    assert column.values == [str(number) for number in range(100)]
    assert not read_column("class", [str(number) for number in range(1001)], "each").values


@pytest.mark.parametrize("bins", [3, [1.0], "each"])
def test_words_cannot_be_binned(bins: Bins) -> None:
    with pytest.raises(UserError, match="dataset.bins names 'colour', which is not a column of numbers: it has 'blue'"):
        read_column("colour", ["1", "blue"], bins)


@pytest.mark.parametrize(
    ("words", "bins", "why"),
    [
        ("4,59 4,6", None, "its commas may divide decimals, thousands or lists; write 1234.5"),
        ("1,234 950", None, "its commas may divide decimals, thousands or lists"),
        ("1,2 3,4,5", None, "its commas may divide decimals, thousands or lists"),
        ("4,59 4,6", 2, "it has '4,59', and its commas may divide"),
        ("4.5 1e3 4,6", 2, "it has '4,6'; write plain numbers."),
        ("10% 20%", 2, "it has '10%'; write plain numbers."),
        ("10 20 n.k.", 2, "it has 'n.k.'; correct it, empty its cell, or leave the column out."),
    ],
)
def test_numbers_with_commas_are_never_words(words: str, bins: Bins | None, why: str) -> None:
    if bins is None:
        column = read_column("width", words.split() * 9)
        assert column.values == [] and column.reason.startswith(why)
        return
    with pytest.raises(UserError, match=f"dataset.bins names 'width', which is not a column of numbers: {why}"):
        read_column("width", words.split(), bins)


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ("1,234 950", "its commas may divide decimals or thousands"),
        ("1.234 12.500 950", "its points may divide decimals or thousands"),
        ("1.234,5 2,5", "it has both points and commas"),
        ("4.5 4,6", "it has both points and commas"),
    ],
)
def test_thousands_beside_decimal_commas_are_never_guessed(words: str, why: str) -> None:
    column = read_column("width", words.split() * 9, decimal_comma=True)
    assert column.values == [] and column.reason.startswith(why)


def test_decimal_commas_are_numbers() -> None:
    assert read_column("width", ["0,5", "1,234", "7", "1,5e1"], 2, decimal_comma=True).codes.tolist() == [0, 0, 1, 1]
    assert read_column("width", ["0.288", "1.250"], [1.0], decimal_comma=True).codes.tolist() == [0, 1]


@pytest.mark.parametrize("words", ["1,2 2,3 1 1,20", "1 0 1,0", "1 1,0 2"])
def test_lists_of_numbers_beside_decimal_commas_are_never_guessed(words: str) -> None:
    column = read_column("tags", words.split() * 9, decimal_comma=True)
    assert column.values == []
    assert "may be one number or two lists; write 1.2 for a number, or 1|2 for a list, or bin it" in column.reason
    assert read_column("tags", words.split() * 9, "each", decimal_comma=True).values


def test_the_odd_one_among_decimal_commas_is_quoted_with_its_line() -> None:
    with pytest.raises(UserError, match="it has '2.5' in line 3, and it has both points and commas"):
        read_column("width", ["1,5", "2.5", "3,5"], 2, decimal_comma=True, lines=[2, 3, 4])


MEASURED = {
    "percents": [f"{number}%" for number in range(30)],
    "prices": [f"$ {number},000.50" for number in range(1, 31)],
    "lengths": [f"{number}.5 cm" for number in range(30)],
    "thousands": [f"{number} 500" for number in range(1, 31)],
    "dates": [f"2024-01-{day:02}" for day in range(1, 31)],
    "German dates": [f"{day}.1.2024 12:30" for day in range(1, 31)],
    "times": [f"12:{minute}" for minute in range(10, 40)],
    "one word and numbers": ["n.k.", *(f"{number / 4}" for number in range(30))],
    "numbers with points and commas": ["0,3", "1e3", *(f"{number / 4}" for number in range(30))],
}


@pytest.mark.parametrize("words", MEASURED.values(), ids=MEASURED)
def test_many_measurements_in_another_notation_are_no_categories(words: list[str]) -> None:
    column = read_column("x", words * 5)
    assert (column.values == [] and "write plain numbers" in column.reason) or "correct it" in column.reason
    few = read_column("x", words[:4] * 5)
    assert len(few.values) == 4 and (not few.remarks or "so that all values are read as words" in few.remarks[0])


@pytest.mark.parametrize("kind", ["percents with a point", "lengths", "dates"])
def test_a_few_measurements_that_nearly_all_differ_are_no_categories(kind: str) -> None:
    """As with plain numbers, whose limit is the same."""
    words = MEASURED.get(kind, [f"{number}.1%" for number in range(30)])[:13]
    assert "write plain numbers" in read_column("x", [*words, words[0]]).reason
    assert len(read_column("x", [f"{number} cm" for number in range(13)] + ["0 cm"]).values) == 13


def test_whole_numbers_and_a_word_are_words_with_a_remark() -> None:
    column = read_column("age", [*map(str, range(30)), "n.k."] * 5)
    assert len(column.values) == 31
    assert column.remarks == ["age: 'n.k.' is no number, so that all values are read as words."]


@pytest.mark.parametrize(
    ("one", "other"),
    [("cat", "cat\u200b"), ("a b", "a\u00a0b"), ("é", "e\u0301"), ("12", "\uff11\uff12"), ("cat", "c\u00adat"), ("cat", "cat\ufeff"), ("-1", "\u22121"),
     ("18-30", "18\u201330"), ("POT", "\u0420\u041e\u0422"), ("yes", "\u2060yes"), ("it's", "it\u2019s")],
)  # fmt: skip
def test_values_that_look_the_same_are_a_fault(one: str, other: str) -> None:
    fault = read_column("x", [one, other, "no"]).fault
    assert fault == f"x has {one!a} and {other!a}, which look the same; write one of them everywhere."


def test_a_value_that_looks_like_an_empty_cell_is_a_fault() -> None:
    assert "x has '\\u200b', which looks like ''" in read_column("x", ["a", "\u200b", "b"]).fault
    assert "which looks like 'NaN'" in read_column("x", ["a", "NaN\u200b", "b"]).fault


@pytest.mark.parametrize("words", ["Cat cat", "x² x2", "é e", "naïve naive", "1 one", "О0 o0"])
def test_values_that_differ_for_a_reader_are_no_fault(words: str) -> None:
    assert read_column("x", words.split()).fault == ""


@pytest.mark.parametrize("word", ["none", "-", "unknown", "N.A.", "####"])
def test_a_word_that_may_mean_a_missing_value_is_named(word: str) -> None:
    assert read_column("x", ["a", "b", word]).remarks == [
        f"x: {word!r} is read as a value; empty its cells if it means that the value is missing."
    ]


@pytest.mark.parametrize("name", ["Unnamed: 0", "Unnamed: 0.1", "index", "level_0"])
def test_row_numbers_of_pandas_are_no_label(name: str) -> None:
    assert read_column(name, ["0", "1", "2"]).values == [] and read_column(name, ["up", "down"]).values
    assert read_column("number", ["0", "1", "2"]).values


def test_words_that_look_alike_are_named() -> None:
    column = read_column("colour", ["Blue", "blue", "light  grey", "light grey", "red"])
    assert len(column.values) == 5
    assert column.remarks == [
        "colour: 'Blue' and 'blue' differ only in case or blanks, and are different values.",
        "colour: 'light  grey' and 'light grey' differ only in case or blanks, and are different values.",
    ]


def test_the_counts_of_many_values_are_cut() -> None:
    column = read_column("class", [f"c{row:03}" for row in range(100)] * 3)
    assert column.describe().endswith("c011 (3) and 88 more")
