"""The files, modules and commands that the documentation names in backticks exist."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")])
FOLDERS = ("vaeline", "pipeline_steps", "workflow", "studies", "profiles", "benchmarks", "docs", "tests", ".dvc")
PATH = re.compile(rf"(?:{'|'.join(map(re.escape, FOLDERS))})/[\w./<>{{}},*-]*")
AT_THE_ROOT = re.compile(r"[\w-]+\.(?:md|lock|toml)|(?:params|dvc)\.yaml|Snakefile|Makefile")
WRITTEN_BY_DVC = {"dvc.lock"}
MODULE = re.compile(r"(?:vaeline|pipeline_steps|benchmarks|workflow)(?:\.\w+)*")
COMMAND = re.compile(r"python -m ((?:pipeline_steps|benchmarks)[\w.]*)")


def quoted(page: Path) -> list[str]:
    """What stands in backticks on a page, blocks of code left out."""
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    return re.findall(r"`([^`]+)`", text)


def exists(path: str) -> bool:
    """Whether the repository has a path; `<name>` stands for any name, and {a,b} for both a and b."""
    if braces := re.search(r"{([^}]*)}", path):
        return all(exists(path.replace(braces[0], choice)) for choice in braces[1].split(","))
    return any(ROOT.glob(re.sub(r"<\w+>", "*", path)))


def resolves(name: str) -> bool:
    """Whether a dotted name is a module, or a name in the source of one."""
    if source(name):
        return True
    module, _, member = name.rpartition(".")
    found = source(module)
    return found is not None and re.search(rf"\b{member}\b", found.read_text(encoding="utf-8")) is not None


def source(module: str) -> Path | None:
    """The file of a module or package, or None."""
    path = ROOT.joinpath(*module.split("."))
    return next((file for file in (path.with_suffix(".py"), path / "__init__.py") if file.is_file()), None)


def test_a_page_is_found() -> None:
    assert {"README.md", "CONTRIBUTING.md", "decisions.md", "fidelity.md"} <= {page.name for page in PAGES}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_path_on_a_page_exists(page: Path) -> None:
    paths = [text for text in quoted(page) if PATH.fullmatch(text) or AT_THE_ROOT.fullmatch(text)]
    assert [path for path in paths if path not in WRITTEN_BY_DVC and not exists(path)] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_module_on_a_page_exists(page: Path) -> None:
    modules = [text for text in quoted(page) if MODULE.fullmatch(text)]
    commands = COMMAND.findall(page.read_text(encoding="utf-8"))
    assert [name for name in modules + commands if not resolves(name)] == []


def test_a_path_that_is_gone_is_noticed() -> None:
    assert exists("vaeline/models/priors/<name>.py") and exists("docs/{glossary,fidelity}.md")
    assert not exists("vaeline/priors/<name>.py") and not exists("docs/{glossary,gone}.md")
    assert resolves("vaeline.system.memory.keep_memory") and not resolves("vaeline.memory.keep_memory")
