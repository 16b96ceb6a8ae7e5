"""Numbers as tables write them: which words are numbers, and which look like numbers and are not read as such."""

import re
from collections.abc import Collection
from decimal import Decimal

NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,2})?", re.ASCII)
COMMA_NUMBER = re.compile(r"[+-]?\d+(,\d+)?([eE][+-]?\d{1,2})?", re.ASCII)
DIVIDED = re.compile(r"[+-]?\d+([.,]\d+)*", re.ASCII)  # digits with points and commas between them
THOUSANDS = {mark: re.compile(rf"[+-]?[1-9]\d{{0,2}}({re.escape(mark)}\d{{3}})+", re.ASCII) for mark in ",."}
UNITS = "%|‰|[$€£¥]|°[CF]?|[nµmck]?m|in|ft|[mk]?g|lb|m?s|min|h|px|m?l"
AMOUNT = re.compile(rf"[<>~≈±]?\s?[+-]?[$€£¥]?\s?\d[\d.,'\u2019\s]*({UNITS})?", re.ASCII)
CLOCK = r"\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:?\d{2})?"
DATE = re.compile(
    rf"((\d{{4}}([-/.])\d{{1,2}}\3\d{{1,2}}|\d{{1,2}}([-/.])\d{{1,2}}\4\d{{2,4}})([T ]{CLOCK})?|{CLOCK})", re.ASCII
)


def numbers_of(words: Collection[str], decimal_comma: bool) -> dict[str, Decimal] | None:
    """The number that each word is; None if one is no number, or if its commas or points may mean several things.

    Args:
        words: all different.
        decimal_comma: whether 0,5 is a number, as in tables whose columns are not separated by commas.
    """
    if why_doubtful(words, decimal_comma):
        return None
    if decimal_comma and any("," in word for word in words) and all(map(COMMA_NUMBER.fullmatch, words)):
        return {word: Decimal(word.replace(",", ".")) for word in words}
    return {word: Decimal(word) for word in words} if all(map(NUMBER.fullmatch, words)) else None


def why_doubtful(words: Collection[str], decimal_comma: bool) -> str:
    """Why digits with commas or points between them may be several numbers, with the remedy; empty if they may not."""
    if not (decimal_comma or any("," in word for word in words)) or not all(map(DIVIDED.fullmatch, words)):
        return ""
    commas, points = [word for word in words if "," in word], [word for word in words if "." in word]
    if commas and not decimal_comma:
        return "its commas may divide decimals, thousands or lists; write 1234.5, without commas."
    if commas and points:
        return "it has both points and commas; write 1234.5, without commas."
    for mark, divided in ((",", commas), (".", points if decimal_comma else [])):
        if divided and all(map(THOUSANDS[mark].fullmatch, divided)):
            name = {",": "commas", ".": "points"}[mark]
            return f"its {name} may divide decimals or thousands; write 1234 or 1234.5, in a table with commas between its columns."
    return ""


def why_lists(numbers: dict[str, Decimal]) -> str:
    """Why words with commas may be lists, with the remedy: several are one number, as 1,2 and 1,20. Empty if none are."""
    for words in by_number(numbers).values():
        if len(words) > 1 and any("," in word for word in words):
            return (
                f"{words[0]!r} and {words[1]!r} may be one number or two lists; write 1.2 for a number, or 1|2 for a list, or bin it, as "
                "with `each`."
            )
    return ""


def seem_measured(words: Collection[str]) -> bool:
    """Whether all words are amounts, such as 12 % and 1 234, or all are dates or times."""
    return all(map(AMOUNT.fullmatch, words)) or all(map(DATE.fullmatch, words))


def are_whole(words: Collection[str]) -> bool:
    """Whether amounts are whole ones, such as 12 %; dates are not."""
    return all(AMOUNT.fullmatch(word) and "." not in word and "," not in word for word in words)


def by_number(numbers: dict[str, Decimal]) -> dict[Decimal, list[str]]:
    """The words of each number; several if it is written in several ways, such as 1 and 01."""
    words: dict[Decimal, list[str]] = {}
    for word, number in numbers.items():
        words.setdefault(number, []).append(word)
    return words


def spelling(value: Decimal, words: list[str]) -> str:
    """The name of a number: as it is written if it begins with zeros, as in 007, and otherwise short."""
    return words[0] if len(words) == 1 and re.fullmatch(r"0\d+", words[0], re.ASCII) else in_short(value)


def in_short(value: Decimal | float) -> str:
    """A number, written short: 1 for 1.0."""
    number = Decimal(str(value)) if isinstance(value, float) else value
    if not number:
        return "0"
    digits = f"{number:f}"
    return digits.rstrip("0").rstrip(".") if "." in digits else digits  # normalize() would round to 28 digits
