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
    """Collects what a page loads by itself, and its text."""

    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag in LOADS and given.get("rel") != "canonical" and (address := given.get(LOADS[tag])):
            self.addresses.append(address)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built site; a broken link, a missing anchor and a page outside the navigation are errors."""
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)]
    built = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    return folder


def test_the_site_loads_nothing_from_other_servers(site: Path) -> None:
    for page in site.rglob("*.html"):
        found = Loaded()
        found.feed(page.read_text(encoding="utf-8"))
        assert [address for address in found.addresses if urlsplit(address).scheme not in ("", "data")] == [], page
        assert not any(address.startswith("//") for address in found.addresses), page
    for sheet in site.rglob("*.css"):
        assert not re.search(r"(url\(|@import)\s*[\"']?(https?:)?//", sheet.read_text(encoding="utf-8")), sheet


def test_every_public_name_is_on_the_page_of_python(site: Path) -> None:
    text = (site / "python_reference.html").read_text(encoding="utf-8")
    for name in vaeline.__all__:
        assert name.startswith("_") or f'id="vaeline.{vaeline.HOMES[name]}.{name}"' in text
    assert "vaeline.runs.trained_run.TrainedRun.log_prob" in text and "log p(x" in text


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
