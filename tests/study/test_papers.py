"""Every paper that is cited has one entry in vaeline/study/papers.bib, and every entry is cited."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from vaeline.study import papers
from vaeline.system.errors import UserError

ROOT = Path(__file__).parents[2]
FOLDERS = ("vaeline", "workflow", "pipeline_steps", "studies", "docs", "benchmarks")
SUFFIXES = (".py", ".smk", ".yaml", ".md", ".j2")
FILES = [
    path
    for path in sorted([*ROOT.glob("*.md"), *(path for name in FOLDERS for path in (ROOT / name).rglob("*"))])
    if path.suffix in SUFFIXES and ".venv" not in path.parts
]
EXAMPLE = "Authors"  # of the example in docs/studies.md of a published number

FIELD = r"  (\w+) = \{(.+)\},\n"
ENTRY = re.compile(rf"@(\w+)\{{(\w+),\n((?:{FIELD})+)\}}\n")
IDENTIFIERS = {
    "doi": r"10\.\d{4,}/\S+",
    "eprint": r"\d{4}\.\d{4,5}|[a-z-]+/\d{7}",
    "url": r"https?://\S+",
    "isbn": r"978-[\d-]+",
}


@cache
def parsed() -> dict[str, dict[str, str]]:
    """The fields of each entry, by a parser that knows only the form in which papers.bib is written."""
    found = {}
    for _, key, body, *_ in ENTRY.findall(papers.FILE.read_text(encoding="utf-8")):
        assert key not in found, f"{key} has two entries"
        found[key] = dict(re.findall(FIELD, body))
    return found


def surnames(entry: dict[str, str]) -> list[str]:
    return [author.partition(",")[0] for author in entry["author"].split(" and ")]


def text_of(path: Path) -> str:
    return papers.on_one_line(path.read_text(encoding="utf-8"))


@cache
def citations() -> list[tuple[str, str, str, str]]:
    """Each citation: the file, the surname of the first author, what follows it, and the year."""
    found = [
        (str(path.relative_to(ROOT)), *match) for path in FILES for match in papers.CITATION.findall(text_of(path))
    ]
    return [each for each in found if each[1] != EXAMPLE]


def test_the_file_is_a_comment_and_entries_sorted_by_their_keys() -> None:
    comment, *entries = papers.FILE.read_text(encoding="utf-8").split("\n\n")
    assert comment.startswith("% ")
    assert all(ENTRY.fullmatch(f"{entry.rstrip()}\n") for entry in entries)
    assert list(parsed()) == sorted(parsed()) == list(papers.entries())
    assert len(entries) == len(parsed())


@pytest.mark.parametrize("key", papers.entries())
def test_an_entry_says_who_what_when_and_where(key: str) -> None:
    entry = parsed()[key]
    assert all("," in author for author in entry["author"].split(" and "))
    assert re.fullmatch(r"\{.+\}", entry["title"])
    assert key.rstrip("abc") == papers.key_of(surnames(entry)[0], entry["year"])
    given = {name: entry[name] for name in IDENTIFIERS if name in entry}
    assert given and all(re.fullmatch(IDENTIFIERS[name], value) for name, value in given.items())
    assert ("eprint" in entry) == (entry.get("archiveprefix") == "arXiv")


def test_no_two_entries_share_an_identifier_or_a_title() -> None:
    for name in ("title", *IDENTIFIERS):
        values = [entry[name].lower() for entry in parsed().values() if name in entry]
        assert len(values) == len(set(values))


def test_the_last_digit_of_an_isbn_is_its_sum() -> None:
    numbers = [entry["isbn"].replace("-", "") for entry in parsed().values() if "isbn" in entry]
    assert numbers
    assert all(sum(int(digit) * (1, 3)[place % 2] for place, digit in enumerate(each)) % 10 == 0 for each in numbers)


def test_every_citation_names_the_authors_of_its_entry() -> None:
    for file, first, others, year in citations():
        key = papers.key_of(first, year)
        assert key in parsed(), f"{file} cites {first}{others}, {year}; add {key} to vaeline/study/papers.bib"
        names = surnames(parsed()[key])
        if others == " et al.":
            assert len(names) > 2 and names[0] == first, f"{file}: {first}{others}, {year}"
        else:
            assert names == [first, *re.split(", | and ", others)[1:]], f"{file}: {first}{others}, {year}"


def test_every_entry_is_cited() -> None:
    cited = {key for path in FILES for key in papers.papers_of(path.read_text(encoding="utf-8"))}
    assert set(parsed()) - cited == set()


def test_et_al_without_a_year_follows_one_with_a_year() -> None:
    for path in FILES:
        bare = set(re.findall(rf"({papers.NAME}) et al\.(?!,? \(?\d{{4}})", text_of(path)))
        dated = {first for file, first, _, _ in citations() if file == str(path.relative_to(ROOT))}
        assert bare <= dated, f"{path.relative_to(ROOT)}: {bare - dated} et al. in which year?"


def test_the_titles_of_the_studies_are_those_of_entries() -> None:
    known = {entry["title"].strip("{}") for entry in parsed().values()}
    table = re.findall(r"^\| `.*\|([^|]*)\|$", (ROOT / "docs/studies.md").read_text(encoding="utf-8"), re.MULTILINE)
    titles = {title for row in table for title in re.findall(r"\*([^*`]{25,})\*", row)}
    for path in ROOT.glob("studies/*.yaml"):
        comments = " ".join(line for line in path.read_text(encoding="utf-8").splitlines() if line.startswith("# "))
        titles |= {each for each in re.findall(r'"([A-Zd][^"]+)"', papers.on_one_line(comments)) if _is_title(each)}
    assert len(titles) > 4 and titles <= known


def _is_title(words: str) -> bool:
    return len(re.findall(r"\b[A-Z]", words)) > 2


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("The bound (Burda et al., 2016, eq. 8).", ["burda2016"]),
        ("As Kingma and\n    Welling (2014) say; VQ-VAE: van den Oord et al., 2017.", ["kingma2014", "vandenoord2017"]),
        ("(Broyden, 1970; Sønderby et al., 2016), Satterthwaite's (1946)", ["broyden1970", "sonderby2016", "satterthwaite1946"]),
        ("# systems of Chen et\n# al. (2018a), Chen et al., 2018b, and again (Chen et al., 2018a)", ["chen2018a", "chen2018b"]),
        ('The prior of "dpVAEs: Fixing Sample\nGeneration for Regularized VAEs" (eq. 2)', ["bhalodia2020"]),
        ("My own prior (Inception, 2048 features, JPEG 2000, November 2026, dpVAE)", []),
        ("", []),
    ],
)  # fmt: skip
def test_the_papers_of_a_docstring(text: str, keys: list[str]) -> None:
    assert papers.papers_of(text) == keys


def test_the_bibtex_of_a_part() -> None:
    docstring = ast.get_docstring(ast.parse((ROOT / "vaeline/models/posteriors/ladder.py").read_text(encoding="utf-8")))
    keys = papers.papers_of(docstring or "")
    assert {"sonderby2016", "child2021", "vahdat2020"} <= set(keys)
    text = papers.bibtex([*keys, keys[0]])
    assert [key for _, key, *_ in ENTRY.findall(f"{text}\n")] == sorted(keys)
    assert papers.bibtex(["kingma2014"]) == (
        "@inproceedings{kingma2014,\n  author = {Kingma, Diederik P. and Welling, Max},\n"
        "  title = {{Auto-Encoding Variational Bayes}},\n  booktitle = {International Conference on Learning Representations},\n"
        "  year = {2014},\n  eprint = {1312.6114},\n  archiveprefix = {arXiv},\n}"
    )


def test_a_paper_without_an_entry_is_refused() -> None:
    with pytest.raises(UserError, match=r"papers.bib has no entry 'child2012'; did you mean child2021 or"):
        papers.bibtex(["burda2016", "child2012"])
    with pytest.raises(
        UserError, match=r"papers.bib has no entry 'x'; take the key of an entry of this file, or add the entry."
    ):
        papers.bibtex(["x"])
