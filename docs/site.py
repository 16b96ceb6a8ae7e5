"""Hooks of MkDocs: the pages of the site that are made from files outside docs/, and links to files of the repository.

README.md is the first page, so that it is written once. Links are written as they work in the repository; here they become links of
the site. A link to a file that the site lacks becomes its text, or a link to the repository if mkdocs.yml names a `repo_url`.
"""

import json
import logging
import posixpath
import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

import vaeline

ROOT = Path(__file__).parents[1]
PAGES = {  # a file of the repository -> its page
    "README.md": "index.md", "CONTRIBUTING.md": "contributing.md", "CHANGELOG.md": "changelog.md", "SECURITY.md": "security.md",
    "docs/python.ipynb": "python.md",
}  # fmt: skip
SHOWN = (".md", ".png", ".svg")  # of docs/; mkdocs.yml leaves out other files
FENCE = re.compile(r"^(```.*?^```)", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"(!?)\[((?:[^\[\]]|\[[^\[\]]*\])*)\]\(([^)\s#:]+)(#[^)\s]*)?\)")
log = logging.getLogger("mkdocs.plugins.site")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that are made."""
    for source, page in PAGES.items():
        text = (ROOT / source).read_text(encoding="utf-8")
        content = notebook(text) if source.endswith(".ipynb") else text
        files.append(File.generated(config, page, content=content))
    files.append(File.generated(config, "python_reference.md", content=python_reference()))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Turn links of the repository into links of the site."""
    source = {page: source for source, page in PAGES.items()}.get(page.file.src_uri, f"docs/{page.file.src_uri}")
    blocks = FENCE.split(markdown)
    return "".join(
        block if block.startswith("```") else LINK.sub(lambda found: link(found, source, config.repo_url), block)
        for block in blocks
    )


def link(found: re.Match[str], source: str, repository: str | None) -> str:
    """A link of the file `source`, as it has to be on the site."""
    bang, text, target, anchor = found[1], found[2], found[3], found[4] or ""
    path = posixpath.normpath(posixpath.join(posixpath.dirname(source), target))
    if path in PAGES:
        return f"[{text}]({PAGES[path]}{anchor})"
    if path.startswith("docs/") and path.endswith(SHOWN):
        return f"{bang}[{text}]({path.removeprefix('docs/')}{anchor})"
    if not (ROOT / path).exists():
        log.warning("%s links to %s, which does not exist.", source, target)
    return f"[{text}]({repository.rstrip('/')}/blob/main/{path}{anchor})" if repository else text


def python_reference() -> str:
    """The page of the public names, in the order of what a user needs first."""
    homes = {name: home for name, home in vaeline.HOMES.items() if not name.startswith("_")}
    names = sorted(homes, key=lambda name: (name[0].isupper(), home_rank(name), name))
    heads = "".join(f"\n::: vaeline.{homes[name]}.{name}\n" for name in names)
    return f"# Python: all public names\n\n[A trained run in Python](in_python.md) has examples.\n{heads}"


def home_rank(name: str) -> int:
    """`load` comes first."""
    return 0 if name == "load" else 1


def notebook(text: str) -> str:
    """A notebook with its outputs as Markdown."""
    cells = [cell_as_markdown(cell) for cell in json.loads(text)["cells"]]
    return "\n\n".join(cells) + "\n"


def cell_as_markdown(cell: dict) -> str:
    """A cell: text as it stands; code in a block, followed by what it printed and drew."""
    source = "".join(cell["source"])
    if cell["cell_type"] == "markdown":
        return source
    shown = [f"```python\n{source}\n```"]
    for output in cell["outputs"]:
        data = output.get("data", {})
        if "image/png" in data:
            png = "".join(data["image/png"]).replace("\n", "")
            shown.append(f'<img alt="Output of the code above" src="data:image/png;base64,{png}">')
        else:
            printed = "".join(output.get("text", data.get("text/plain", ""))).rstrip("\n")
            shown.append(f"```text\n{printed}\n```")
    return "\n\n".join(shown)
