"""Yes and no are known in every spelling, and other words are not."""

import pytest

from vaeline.data.columns import NO_YES, read_column

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


@pytest.mark.parametrize(
    "words",
    [
        "0 1 NO",
        "yes no True",
        "-1 1 no",
        "yes no 1",
        "false true OFF",
        "yes No 1 0 TRUE",
        "0 1 yes no off on",
        "y n 1 0",
        "n y yes no 0",
    ],
)
def test_yes_and_no_may_be_spelled_in_several_ways(words: str) -> None:
    column = read_column("a", words.split())
    assert (column.kind, column.values) == ("yes/no", NO_YES)
    assert column.codes.tolist() == [int(word.lower() in YES) for word in words.split()]
    yes, no = (
        ", ".join(repr(word) for word in sorted(words.split()) if (word.lower() in YES) is meant)
        for meant in (True, False)
    )
    assert column.remarks == [f"a: {yes} are read as yes, and {no} as no."]


@pytest.mark.parametrize(
    "words",
    [
        "F M",
        "F",
        "y",
        "yes maybe",
        "1 2",
        "0 1 -1",
        "yes 1",
        "blue",
        "1 yes",
        "n m",
        "n y f",
        "0 1 t",
        "0 -1 1 no",
        "n y f t",
        "no yes -1",
        "no yes n y t",
    ],
)
def test_other_words_are_not_yes_or_no(words: str) -> None:
    assert read_column("a", words.split()).kind != "yes/no"
