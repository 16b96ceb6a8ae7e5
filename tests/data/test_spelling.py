"""Words that look the same are told from words that a reader can tell apart."""

import pytest

from vaeline.data.spelling import alike, folded, look, same_looking, visible


@pytest.mark.parametrize(
    ("word", "seen"),
    [("cat", "cat"), ("\ufeffcat\u200b", "cat"), ("a\u3000b\u00a0", "a b"), ("e\u0301", "é"), ("\uff21\uff11", "A1"), ("\u200b", ""), ("x\x08\u115fy", "xy"),
     ("Straße", "Straße"), ("x²", "x²"), ("١", "١")],
)  # fmt: skip
def test_a_word_is_what_a_reader_sees(word: str, seen: str) -> None:
    assert visible(word) == seen


def test_letters_of_other_alphabets_and_dashes_look_the_same() -> None:
    assert look("РОТ") == look("POT") == "POT" and visible("РОТ") != "POT"
    assert look("18–30") == look("18-30")


def test_the_first_two_words_that_look_the_same_are_found() -> None:
    assert same_looking(["a", "b", "c\u200b", "c", "d\u200b", "d"]) == ("c\u200b", "c")
    assert same_looking(["a", "A", "a b", "a  b"]) is None


def test_words_that_differ_in_case_or_blanks_are_alike() -> None:
    assert alike(["Anna 1", "x", "ANNA1", "1 12", "11 2"]) == [["Anna 1", "ANNA1"]]
    assert folded("p  1 12") == "p1 12"
