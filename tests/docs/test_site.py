"""The site of the documentation: it builds, its links lead somewhere, it asks no other server, and it is short."""

import json
import re
import subprocess
import sys
from html.parser import HTMLParser
from itertools import chain
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import yaml

import vaeline

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), ROOT / "config/README.md"])
LONG = ("Measurements", "Reference", "For developers")  # sections of pages that are looked up, or made by commands
LOADS = {
    "script": "src",
    "img": "src",
    "iframe": "src",
    "link": "href",
    "source": "src",
    "video": "src",
    "audio": "src",
}
FENCE = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"\]\(([^)\s]+)\)")


class Loaded(HTMLParser):
    """Collects the addresses that a page loads by itself."""

    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag in LOADS and given.get("rel") != "canonical" and (address := given.get(LOADS[tag])):
            self.addresses.append(address)


def test_the_site_builds_loads_nothing_from_other_servers_and_has_every_public_name(tmp_path: Path) -> None:
    """One test, since the site takes seconds to build. A broken link, a missing heading and a page outside `nav` end the build."""
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path)]
    built = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    for page in tmp_path.rglob("*.html"):
        assert loaded_from_elsewhere(page.read_text(encoding="utf-8")) == [], page
    for sheet in tmp_path.rglob("*.css"):
        assert not re.search(r"(url\(|@import)\s*[\"']?(https?:)?//", sheet.read_text(encoding="utf-8")), sheet
    reference = (tmp_path / "python_reference.html").read_text(encoding="utf-8")
    for name in vaeline.__all__:
        assert name.startswith("_") or f'id="vaeline.{vaeline.HOMES[name]}.{name}"' in reference
    assert 'id="vaeline.runs.trained_run.TrainedRun.log_prob"' in reference


def loaded_from_elsewhere(page: str) -> list[str]:
    """The addresses on other servers that a page loads by itself."""
    found = Loaded()
    found.feed(page)
    return [address for address in found.addresses if urlsplit(address).netloc]


def test_a_script_or_a_font_of_another_server_is_noticed() -> None:
    assert loaded_from_elsewhere('<script src="//cdn.example.org/x.js"></script><a href="https://example.org">') == [
        "//cdn.example.org/x.js"
    ]
    assert loaded_from_elsewhere('<link rel="stylesheet" href="https://fonts.example.org/css">') != []


def test_what_a_user_reads_is_short() -> None:
    nav = yaml.safe_load(re.sub(r"!!\S+", "", (ROOT / "mkdocs.yml").read_text(encoding="utf-8")))["nav"]
    sections = {title: [*chain(*map(dict.values, pages))] for section in nav for title, pages in section.items()}
    assert set(LONG) < set(sections)
    made = {"index.md": ROOT / "README.md", "python.md": ROOT / "docs/python.ipynb"}
    read = [
        made.get(page, ROOT / "docs" / page) for title, pages in sections.items() if title not in LONG for page in pages
    ]
    words = {page.name: count(page) for page in read}
    assert sum(words.values()) < 10_000, words


def count(page: Path) -> int:
    """The words of a page, with those of tables and without blocks of code and addresses of links."""
    text = page.read_text(encoding="utf-8")
    if page.suffix == ".ipynb":
        text = "\n".join(
            "".join(cell["source"]) for cell in json.loads(text)["cells"] if cell["cell_type"] == "markdown"
        )
    return len(re.findall(r"\w[\w'’.,-]*", LINK.sub("]", FENCE.sub("", text))))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_to_a_file_and_a_heading_of_the_repository(page: Path) -> None:
    for link in LINK.findall(FENCE.sub("", page.read_text(encoding="utf-8"))):
        address = urlsplit(link)
        if address.scheme:  # nothing is asked of the network
            assert re.fullmatch(r"https?://[\w.-]+\.[a-z]{2,}(/\S*)?", link), link
            continue
        target = page.parent / address.path if address.path else page
        assert target.exists(), link
        if address.fragment and target.suffix == ".md":
            assert address.fragment in anchors(target), link


def anchors(page: Path) -> set[str]:
    """The anchors of the headings of a page, as hosts of repositories make them."""
    heads = re.findall(r"^#+ (.*)", FENCE.sub("", page.read_text(encoding="utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).strip().replace(" ", "-") for head in heads}
