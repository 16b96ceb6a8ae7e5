"""The papers that vaeline cites, with their BibTeX entries in `papers.bib`.

A text cites a paper by its authors and year, as in "(Kingma and Welling, 2014)" or "Burda et al. (2016)", or by its whole
title in quotes or italics. The key of an entry is the surname of the first author and the year: `kingma2014`.
"""

import re
import unicodedata
from collections.abc import Collection
from functools import cache
from pathlib import Path

from vaeline.system.errors import UserError, did_you_mean, shown

FILE = Path(__file__).with_name("papers.bib")
NAME = r"(?:van de[nr] )?[A-ZÀ-Þ][\w-]+"
CITATION = re.compile(
    rf"({NAME})((?:, {NAME})* and {NAME}| et al\.)?(?:['’]s)?(?:, | \()((?:1[89]\d|20[0-3])\d[a-z]?)\b"
)


@cache
def entries() -> dict[str, str]:
    """The entries of papers.bib by their keys, each as it stands there."""
    texts = re.split(r"^(?=@)", FILE.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    return {text.partition("{")[2].partition(",")[0]: text.strip() for text in texts}


def papers_of(text: str) -> list[str]:
    """The keys of the papers that a text cites, each once, in the order of the text.

    Args:
        text: a docstring, a page or a file. Lines may begin with `#`.

    Returns:
        Keys as `kingma2014`. One of a paper that the text cites by its authors may have no entry.
    """
    line = on_one_line(text)
    found = {match.start(): key_of(match[1], match[3]) for match in CITATION.finditer(line)}
    for key, title in _titles().items():
        found |= {match.start(): key for match in re.finditer(rf"[\"'*“]{re.escape(title)}", line)}
    return list(dict.fromkeys(found[place] for place in sorted(found)))


def bibtex(keys: Collection[str]) -> str:
    """The BibTeX entries of papers, sorted by their keys, each once.

    Raises:
        UserError: a key has no entry.
    """
    known = entries()
    for key in keys:
        if key not in known:
            near = did_you_mean(key, known) or "take the key of an entry of this file, or add the entry."
            raise UserError(f"vaeline/study/papers.bib has no entry {shown(key)}; {near}")
    return "\n\n".join(known[key] for key in sorted(set(keys)))


def key_of(surname: str, year: str) -> str:
    """The key of an entry: `sonderby2016` for Sønderby and 2016, `vandenoord2017` for van den Oord and 2017."""
    plain = unicodedata.normalize("NFKD", surname.lower().translate({ord("ø"): "o", ord("ł"): "l"}))
    return re.sub(r"[^a-z]", "", plain) + year


def on_one_line(text: str) -> str:
    """A text without line ends, and without the signs of comments at the begin of its lines."""
    return re.sub(r"\s+(?:#\s+)?", " ", text)


@cache
def _titles() -> dict[str, str]:
    return {key: re.findall(r"^  title = {{(.*)}},$", text, re.MULTILINE)[0] for key, text in entries().items()}
