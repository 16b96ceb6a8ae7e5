"""Words that mean yes and no, in whatever way they are spelled."""

from decimal import Decimal

from vaeline.data.numbers import NUMBER, numbers_of

# Of no and yes, in any case.
SPELLINGS = [({"no", "n"}, {"yes", "y"}), ({"false", "f"}, {"true", "t"}), ({"off"}, {"on"})]
NUMBERS = [(Decimal(0), Decimal(1)), (Decimal(-1), Decimal(1))]


def words_for_yes(words: list[str], numbers: dict[str, Decimal] | None) -> set[str] | None:
    """The words that mean yes if every word of a column means yes or no; otherwise None.

    Args:
        words: all different; none is missing.
        numbers: of every word; None if a word is no number.
    """
    if numbers is not None:
        found = set(numbers.values())
        return next(({w for w, n in numbers.items() if n == 1} for pair in NUMBERS if found <= set(pair)), None)
    folded = {word.casefold() for word in words}
    if len(folded) == 1 and len(next(iter(folded))) == 1:  # a column of F may be of any letters
        return None
    for no, yes in SPELLINGS:
        if folded <= no | yes:
            return {word for word in words if word.casefold() in yes}
    return _yes_of_several(words)


def spelled(words: list[str]) -> list[tuple[set[str], set[str]]]:
    """The words that mean no, and those that mean yes, for each spelling that occurs."""
    numbers = numbers_of([word for word in words if NUMBER.fullmatch(word)], decimal_comma=False) or {}
    pair = next((pair for pair in NUMBERS if set(numbers.values()) <= set(pair)), ())
    groups = [tuple({word for word, number in numbers.items() if number == each} for each in pair)]
    for pairs in SPELLINGS:
        groups.append(tuple({word for word in words if word.casefold() in meant} for meant in pairs))
    return [(group[0], group[1]) for group in groups if any(group)]


def _yes_of_several(words: list[str]) -> set[str] | None:
    """The words that mean yes if they are spelled in several ways, as in 0, 1 and NO; None if a word may mean anything else.

    One spelling must be there with both of its words. Beside it, a single letter or a lone -1 may stand for anything.
    """
    groups = spelled(words)
    whole = [group for group in groups if all(group)]
    complete = sum(len(no) + len(yes) for no, yes in groups) == len(words)
    letters = [group for group in groups if any(len(word) == 1 and word.isalpha() for pair in group for word in pair)]
    rest = {word for group in groups if group not in whole for pair in group for word in pair}
    doubtful = len(letters) > 1 or any(group not in whole for group in letters) or any(map(_is_minus_one, rest))
    if not (whole and complete) or doubtful:
        return None
    return {word for _, yes in groups for word in yes}


def _is_minus_one(word: str) -> bool:
    return NUMBER.fullmatch(word) is not None and Decimal(word) == -1
