"""Words that look the same but have different characters: accents, blanks, dashes, similar letters, invisible characters."""

import re
import unicodedata
from collections.abc import Iterable
from itertools import groupby

COMPATIBLE = ("<wide>", "<narrow>", "<noBreak>")  # forms of a character that differ from it in width alone
FILLERS = frozenset("\u115f\u1160\u2800\u3164\uffa0")  # letters and signs that are drawn as nothing
SAME = str.maketrans(
    "\u2010\u2011\u2012\u2013\u2212\u2018\u2019\u201c\u201d"  # dashes, the minus sign, quotation marks
    "АВЕЅІЈКМНОРСТУХаеѕіјорсух"
    "ΑΒΕΖΗΙΚΜΝΟΡΤΥΧο",
    "-----''\"\"ABESIJKMHOPCTYXaesijopcyxABEZHIKMNOPTYXo",
)


def visible(word: str) -> str:
    """A word without characters that cannot be seen, with plain blanks and composed accents."""
    if word.isascii() and word.isprintable():
        return word
    return unicodedata.normalize("NFC", "".join(map(_seen, word))).strip()


def look(word: str) -> str:
    """What a word looks like: equal for words that a reader can hardly tell apart."""
    return word if word.isascii() and word.isprintable() else visible(word).translate(SAME)


def folded(word: str) -> str:
    """A word without case and blanks; only a blank between two digits counts."""
    return re.sub(r"(?<!\d) +| +(?!\d)", "", " ".join(look(word).casefold().split()))


def alike(words: Iterable[str]) -> list[list[str]]:
    """Words that differ only in case or blanks, in groups."""
    groups = [list(group) for _, group in groupby(sorted(words, key=folded), key=folded)]
    return [group for group in groups if len(group) > 1]


def same_looking(words: Iterable[str]) -> tuple[str, str] | None:
    """Two different words that look the same; None if there are none."""
    seen: dict[str, str] = {}
    for word in words:
        if (other := seen.setdefault(look(word), word)) != word:
            return other, word
    return None


def side_by_side(one: str, other: str) -> tuple[str, str]:
    """Two words, quoted, with escapes where a reader could not tell them apart."""
    shown = ascii if look(one) == look(other) else repr
    return shown(one), shown(other)


def _seen(character: str) -> str:
    if character.isspace():
        return " "
    if unicodedata.category(character) in ("Cc", "Cf") or character in FILLERS or "\ufe00" <= character <= "\ufe0f":
        return ""
    compatible = unicodedata.decomposition(character).startswith(COMPATIBLE)
    return unicodedata.normalize("NFKC", character) if compatible else character
