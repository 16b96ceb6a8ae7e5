"""A hash of code changes only if the code behaves differently."""

import shutil
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from dvc.repo import Repo

from pipeline_steps import closure, module_source
from pipeline_steps.code_hashes import hashes
from pipeline_steps.file_states import PACKAGES
from vaeline.study.reading import load
from vaeline.system.errors import UserError

ROOT = Path(__file__).parents[2]


def code_text(text: str) -> str:
    return module_source.code_text(textwrap.dedent(text))


def test_comments_docstrings_and_blank_lines_do_not_count() -> None:
    explained = '''
        """A module."""

        import os  # for the end

        class Thing:
            """A class."""

            def act(self):
                r\'\'\'Lines
                of "text".\'\'\'
                # Now.
                return os.sep
    '''
    plain = """
        import os
        class Thing:
            def act(self):
                return os.sep
    """
    assert code_text(explained) == code_text(plain)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("x = '# one'", "x = '# other'"),
        ("x = '''\n# one\n'''", "x = '''\n# other\n'''"),
        ("x = '''\n\n'''", "x = '''\n'''"),
        ("x = {'a':\n'one'}", "x = {'a':\n'other'}"),
        ("def f():\n    return 1\n    'one'", "def f():\n    return 1\n    'other'"),
        ("if x:\n    y = 1\nz = 2", "if x:\n    y = 1\n    z = 2"),
        ("x = 'it''s'  # one", "x = 'it'  # 's'"),
        ("x = f'{y}#1'", "x = f'{y}#2'"),
        ("x = 1 \\\n\n+2", "x = 1 \\\n+2"),
    ],
)
def test_every_statement_with_an_effect_counts(one: str, other: str) -> None:
    assert module_source.code_text(one) != module_source.code_text(other)


def test_an_unusual_string_does_not_hide_later_code() -> None:
    text = "x = '\\\\'  # gone\ny = r'\\'#'\nz = \"'\"  # gone\n"
    assert module_source.code_text(text) == "x = '\\\\'\ny = r'\\'#'\nz = \"'\"\n"


@pytest.mark.skipif(sys.version_info < (3, 12), reason="not valid before Python 3.12")
def test_code_after_a_number_sign_in_a_nested_string_counts() -> None:
    one = 'x = f"{"#".join(y)}" + "a"\n'
    assert module_source.code_text(one) == one


CLOSURE = {
    "top.py", "below.py", "inner/__init__.py", "inner/deep.py", "templates/page.html.j2", "templates/parts/row.html.j2",
}  # fmt: skip


def forget() -> None:
    """Make the module read its files again."""
    closure.forget()
    closure._memory.cache_clear()


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A project of a few modules."""
    for name, text in {
        "top.py": 'from vaeline import below\nHERE = Path(__file__).parent / "templates"\ndef f():\n    from vaeline.inner import deep\n',
        "below.py": "import os\n",
        "inner/__init__.py": "ABOUT = 1\n",
        "inner/deep.py": "import vaeline.top\n",  # a circle
        "aside.py": "",
        "templates/page.html.j2": "<p>",
        "templates/parts/row.html.j2": "<tr>",
        "inner/top.css": "p {}",  # bears the name of a module that does not name it
        "inner/aside.py": 'STYLE = Path(__file__).parent / "top.css"  # and "page.css"\n',
    }.items():
        path = tmp_path / "vaeline" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    monkeypatch.setattr(closure, "ROOT", tmp_path)
    monkeypatch.setattr(closure, "CACHE", tmp_path / "cache/seen.json")
    forget()
    yield tmp_path / "vaeline"
    forget()


def test_the_closure_holds_imports_and_named_data_files(package: Path) -> None:
    found = {str(path.relative_to(package)) for path in closure.closure(["vaeline.top"])}
    assert found == CLOSURE


@pytest.mark.parametrize("name", sorted(CLOSURE))
def test_an_edit_anywhere_in_the_closure_changes_the_hash(package: Path, name: str) -> None:
    before = closure.digest(["vaeline.top"])
    (package / name).write_text((package / name).read_text() + "added = 1\n")
    forget()
    assert closure.digest(["vaeline.top"]) != before


def test_what_a_former_process_has_parsed_is_not_parsed_again(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = closure.digest(["vaeline.top"])
    monkeypatch.setattr(module_source, "parse", lambda text: pytest.fail("parsed"))
    forget()
    assert closure.digest(["vaeline.top"]) == before


def test_a_data_file_belongs_only_to_modules_that_name_it(package: Path) -> None:
    found = {str(path.relative_to(package)) for path in closure.closure(["vaeline.inner.aside"])}
    assert found == {"inner/__init__.py", "inner/aside.py", "inner/top.css"}


def test_every_data_file_is_named_by_a_module() -> None:
    files = [path for package in PACKAGES for path in (ROOT / package).rglob("*") if path.is_file()]
    files = [path for path in files if closure.is_code(path.relative_to(ROOT))]
    modules = [path for path in files if path.suffix == ".py" and "vaeline" not in closure._module(path).data]
    data = {path for path in files if path.suffix not in (".py", ".typed")}
    named = {file for module in modules for file in closure._data_files(module)}
    assert data == {file for file in named if file.suffix != ".py"}  # a module may be named as a script too


@pytest.mark.parametrize(
    "text",
    [
        "if TYPE_CHECKING:\n    import os\nelse:\n    from vaeline import below",
        "if typing.TYPE_CHECKING:\n    import os\nelif x:\n    from vaeline import below",
        "if not TYPE_CHECKING:\n    from vaeline import below",
        "try:\n    import os\nexcept ImportError:\n    from . import below",
        "match x:\n    case 1:\n        import vaeline.below",
        "importlib.import_module('vaeline.below')",
        "f = lambda: load('vaeline.below')",
        "importlib.import_module('.below', __package__)",
        "__import__('vaeline.below')",
        "__import__('vaeline', fromlist=['below'])",
        "__import__('below', globals(), locals(), [], 1)",
        "import_module(name='vaeline.below')",
        "import_module(package='vaeline', name='.below')",
        "NAME = 'vaeline.below'\nimport_module(NAME)",
        "for name in ('vaeline.below', 'vaeline.top'):\n    import_module(name)",
        "for name in ('.below', '.top'):\n    import_module(name, __package__)",
        "spec_from_file_location('x', Path(folder, 'below.py'))",
        "from vaeline import *",
        "exec((Path(__file__).parent / 'below.py').read_text())",
        "exec(open('vaeline/below.py').read())",
    ],
)
def test_an_import_in_any_form_counts(package: Path, text: str) -> None:
    (package / "aside.py").write_text(text)
    assert package / "below.py" in closure.closure(["vaeline.aside"])


def test_a_relative_name_is_found_in_the_package_that_a_call_names(package: Path) -> None:
    (package / "inner/aside.py").write_text("import_module('.below', 'vaeline')")
    assert package / "below.py" in closure.closure(["vaeline.inner.aside"])


def test_a_table_of_names_takes_no_packages_without_code(package: Path) -> None:
    (package / "parts").mkdir()
    (package / "parts/__init__.py").write_text('"""Parts."""\n')
    (package / "aside.py").write_text("PACKAGES = {'parts': 'vaeline.parts', 'inner': 'vaeline.inner'}")
    assert closure.closure(["vaeline.aside"]) == {package / "aside.py", package / "inner/__init__.py"}


def test_an_import_for_type_checkers_does_not_count(package: Path) -> None:
    (package / "aside.py").write_text("if TYPE_CHECKING:\n    from vaeline import below")
    assert closure.closure(["vaeline.aside"]) == {package / "aside.py"}


@pytest.mark.parametrize(
    "text",
    [
        "Path(__file__).parent / 'tables' / 'a.json'",
        "Path(__file__).resolve().parent / 'tables/a.json'",
        "Path(__file__).parent / 'tables' / f'{name}.json'",
        "HERE = Path(__file__).parent\nHERE / 'tables/a.json'",
        "os.path.join(os.path.dirname(__file__), 'tables', 'a.json')",
        "open('vaeline/tables/a.json')",
        "from importlib import resources",
    ],
)
def test_a_data_file_that_a_module_names_counts(package: Path, text: str) -> None:
    (package / "aside.py").write_text(text)
    table = package / "tables/a.json"
    table.parent.mkdir()
    table.write_text("1")
    assert table in closure.closure(["vaeline.aside"])


NAMED = [
    "os.path.join(os.path.dirname(__file__), '..', 'tables', 'a.json')",
    "Path(__file__).parent.joinpath('../tables/a.json')",
    "Path(__file__).parent.with_name('tables') / 'a.json'",
    "Path(vaeline.__file__).parent / 'tables/a.json'",
    "importlib.resources.files('vaeline.tables').joinpath('a.json')",
    "pkgutil.get_data('vaeline.tables', 'a.json')",
    "Path('vaeline') / 'tables' / 'a.json'",
    "Path('vaeline', 'tables', 'a.json')",
    "os.path.join('vaeline', 'tables', 'a.json')",
    "open('./vaeline/tables/a.json')",
    "ROOT / 'vaeline' / 'tables' / 'a.json'",
    "ROOT.joinpath('vaeline', 'tables', 'a.json')",
    "folder('tables') / 'a.json'",
    "open(f'{HERE}/a.json')",
]
PUT_TOGETHER = [
    "os.path.join(os.path.dirname(os.path.dirname(__file__)), 'tables', f'{name}.json')",
    "Path(__file__).parent.joinpath('..', 'tables', f'{name}.json')",
    "Path(__file__).parent.with_name('tables') / f'{name}.json'",
    "HERE = Path(__file__)\nHERE.parents[1] / 'tables' / f'{name}.json'",
    "HERE = Path(__file__).parent\nHERE.parent / 'tables' / f'{name}.json'",
    "HERE = Path(__file__).parent\nHERE / '..' / 'tables' / f'{name}.json'",
    "Path(vaeline.__file__).parent / 'tables' / f'{name}.json'",
    "Path(vaeline.__path__[0], 'tables', name)",
    "importlib.resources.files('vaeline.tables') / f'{name}.json'",
    "import importlib.resources",
    "import pkgutil",
    "Path('vaeline') / 'tables' / name",
    "Path('./vaeline/tables') / name",
    "Path('vaeline', 'tables', name)",
    "os.path.join('vaeline', 'tables', name)",
    "ROOT / 'vaeline' / 'tables' / name",
    "ROOT.joinpath('vaeline', 'tables', name)",
    "open(f'{ROOT}/vaeline/tables/{name}.json')",
    "from vaeline.study.parts import folder\nfolder('tables') / name",
    "from vaeline.study import parts\nparts.folder('tables') / name",
]


@pytest.mark.parametrize("text", NAMED + PUT_TOGETHER)
def test_a_data_file_in_another_folder_counts(package: Path, text: str) -> None:
    table = package / "tables/a.json"
    table.parent.mkdir()
    table.write_text("1")
    (package / "inner/deep.py").write_text(f"def f(name):\n{textwrap.indent(text, '    ')}")
    before = closure.digest(["vaeline.inner.deep"])
    table.write_text("2")
    closure.forget()
    assert closure.digest(["vaeline.inner.deep"]) != before


def test_docstrings_count_in_a_module_that_reads_docstrings() -> None:
    for text in ('"""{}"""\nSCALE = float(__doc__)', 'def f():\n    """{}"""\nSCALE = inspect.getdoc(f)'):
        assert module_source.code_text(text.format(1)) != module_source.code_text(text.format(2))


def test_an_encoding_counts(package: Path) -> None:
    text = "SIGN = '\u00e9'\n"
    assert (
        len({module_source.code_text(first + text) for first in ("", "# coding: latin-1\n", "# coding: cp1252\n")}) == 3
    )
    assert module_source.code_text(f"# coding: utf-8\n{text}") == text


@pytest.mark.parametrize("name", ["mine.pyc", "mine.so", "below.so"])
def test_a_compiled_module_is_refused(package: Path, name: str) -> None:
    (package / "aside.py").write_text(f"from vaeline.{name.partition('.')[0]} import K")
    (package / name).touch()
    with pytest.raises(UserError, match=f"vaeline/{name} is a compiled module, and only sources count as code"):
        closure.closure(["vaeline.aside"])


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("linked", "from vaeline.linked import mine"),
        ("linked", "import vaeline.linked"),
        ("linked", "open('vaeline/linked/a.json')"),
        ("inner/linked", "Path(__file__).parent / 'inner'"),
    ],
)
def test_a_linked_folder_is_refused(package: Path, name: str, text: str) -> None:
    elsewhere = package.parent / "elsewhere"
    elsewhere.mkdir()
    for file in ("__init__.py", "mine.py", "a.json"):
        (elsewhere / file).touch()
    (package / name).symlink_to(elsewhere)
    (package / "aside.py").write_text(text)
    with pytest.raises(
        UserError, match=f"vaeline/{name} is a link to a folder, in which nobody would notice an edit; put"
    ):
        closure.closure(["vaeline.aside"])


@pytest.mark.parametrize("name", ["scale.bin", ".scale.json", "scale.bak"])
def test_a_data_file_that_dvc_does_not_see_is_refused(package: Path, name: str) -> None:
    (package / "aside.py").write_text(f"Path(__file__).parent / '{name}'")
    (package / name).touch()
    with pytest.raises(UserError, match="may be read by vaeline/aside.py, but only visible files that end in"):
        closure.closure(["vaeline.aside"])


def test_an_unknown_file_in_a_folder_that_a_module_names_is_refused(package: Path) -> None:
    (package / "templates/table.bin").touch()
    with pytest.raises(UserError, match="vaeline/templates/table.bin may be read by vaeline/top.py"):
        closure.closure(["vaeline.top"])


@pytest.mark.parametrize(
    "text", ["from mine import K", "import mine.deep", "import_module('mine')", "Path(__file__).parents[1] / 'mine.py'"]
)
def test_a_module_outside_the_packages_is_refused(package: Path, text: str) -> None:
    (package.parent / "mine.py").touch()
    (package / "aside.py").write_text(text)
    with pytest.raises(UserError, match="vaeline/aside.py .* mine.py, which lies outside vaeline"):
        closure.closure(["vaeline.aside"])


@pytest.mark.parametrize(
    "text", ["from lib.priors.mine import K", "from lib.priors import mine", "from lib.priors import *"]
)
def test_a_module_outside_the_packages_is_refused_without_an_init(package: Path, text: str) -> None:
    (package.parent / "lib/priors").mkdir(parents=True)
    (package.parent / "lib/priors/mine.py").touch()
    (package / "aside.py").write_text(text)
    with pytest.raises(UserError, match="vaeline/aside.py imports lib/priors/mine.py, which lies outside vaeline"):
        closure.closure(["vaeline.aside"])


STRAYS = [
    "below.py~", "below.py.orig", "below.py.rej", ".below.py.swp", "#below.py#", ".#below.py", "._below.py", "below.ipynb",
    ".ipynb_checkpoints/below-checkpoint.py", ".DS_Store", "templates/.DS_Store", "templates/page.html.j2~", "templates/Thumbs.db",
    "templates/.page.css", "__pycache__/below.cpython-311.pyc",
]  # fmt: skip


def test_files_beside_the_code_change_no_hash(package: Path) -> None:
    before = closure.digest(["vaeline.top"])
    for name in STRAYS:
        (package / name).parent.mkdir(exist_ok=True)
        (package / name).write_text("another = 1\n")
    forget()
    assert closure.digest(["vaeline.top"]) == before


@pytest.mark.parametrize("end", [b"\r\n", b"\r"])
def test_line_ends_and_a_byte_order_mark_change_no_hash(package: Path, end: bytes) -> None:
    (package / "below.py").write_text("TEXT = '''one\ntwo'''\n\n# A comment.\nif TEXT:\n    import os\n")
    (package / "templates/page.html.j2").write_text("<p>\n</p>\n")
    forget()
    before = closure.digest(["vaeline.top"])
    for path in (each for each in package.rglob("*") if each.is_file()):
        path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", end))
    forget()
    assert closure.digest(["vaeline.top"]) == before


def test_dvc_sees_the_files_that_count_as_code(package: Path) -> None:
    for name in [*STRAYS, "py.typed", "inner/notes.txt", "inner/.hidden/deep.py", "inner/page.js"]:
        (package / name).parent.mkdir(parents=True, exist_ok=True)
        (package / name).touch()
    shutil.copy(ROOT / ".dvcignore", package.parent)
    shutil.copytree(package, package.parent / "pipeline_steps")
    Repo.init(str(package.parent), no_scm=True).close()
    files = [path for name in PACKAGES for path in (package.parent / name).rglob("*") if path.is_file()]
    with Repo(str(package.parent)) as repo:
        seen = {Path(path) for name in PACKAGES for path in repo.dvcignore.find(repo.fs, str(package.parent / name))}
    assert seen == {path for path in files if closure.is_code(path.relative_to(package.parent))}
    assert {path.name for path in seen} >= {"py.typed", "page.js", "top.css", "deep.py", "row.html.j2"}


def test_every_tracked_file_of_a_package_is_code() -> None:
    """A file with another suffix would be part of no hash; its suffix belongs in `closure.CODE` and in .dvcignore."""
    tracked = subprocess.run(["git", "ls-files", *PACKAGES], cwd=ROOT, capture_output=True, text=True, check=False)
    assert [name for name in tracked.stdout.splitlines() if not closure.is_code(Path(name))] == []


def test_a_module_that_is_no_python_is_named(package: Path) -> None:
    for content in (b"def f(:\n", b"x = '\xff'\n", b"x = 1\0\n"):
        (package / "below.py").write_bytes(content)
        forget()
        with pytest.raises(UserError, match="below.py is not valid Python .*; correct it"):
            closure.digest(["vaeline.top"])


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text,
        lambda text: text[:50],
        lambda text: "[]",
        lambda text: text.replace('"by": "', '"by": "0'),
        lambda text: "{}",
    ],
)
def test_a_cache_that_is_damaged_or_of_another_version_is_ignored(package: Path, damage: Callable[[str], str]) -> None:
    before = closure.digest(["vaeline.top"])
    content = closure.CACHE.read_text()
    assert '"vaeline.below' in content
    closure.CACHE.write_text(damage(content.replace('"vaeline.below', '"vaeline.belov')))  # an import that is lost
    closure._memory.cache_clear()  # as in another process
    forget()
    assert closure.digest(["vaeline.top"]) == before


def changed_by(name: str) -> set[str]:
    """The dotted keys of the hashes that an edit of a file changes."""
    study, digest = load(ROOT / "params.yaml"), closure._digest
    before = flat(hashes(study))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(closure, "_digest", lambda path: digest(path) + "edited" * (path == ROOT / name))
        after = flat(hashes(study))
    return {key for key in before if before[key] != after[key]}


def flat(content: dict[str, Any], above: str = "") -> dict[str, str]:
    return {
        f"{above}{key}{'.' + inner if inner else ''}": hashed
        for key, value in content.items()
        for inner, hashed in (value.items() if isinstance(value, dict) else [("", value)])
    }


def test_a_prior_belongs_to_the_variants_that_name_it() -> None:
    steps = ["trial", "train", "sample", "evaluate"]
    assert changed_by("vaeline/models/priors/standard.py") == {
        f"{s}.{v}" for s in steps for v in ("gaussian_cvae", "cvae")
    }
    assert changed_by("vaeline/models/flows/affine_coupling.py") == {f"{step}.cvae_nf" for step in steps}


def test_a_data_set_belongs_to_the_steps_that_read_it() -> None:
    assert changed_by("vaeline/data/sets/digits.py") == {"download.digits", "preprocess.digits"}


def test_a_steps_file_affects_that_step_only() -> None:
    assert changed_by("pipeline_steps/report.py") == {"report"}
    for name in ("report.html.j2", "report.css", "report.js"):
        assert changed_by(f"vaeline/report/templates/{name}") == {"report"}
    for name in ("page.css", "slider.js"):  # of the explorer, which no engine runs
        assert changed_by(f"vaeline/explorer/{name}") == set()
    assert changed_by("vaeline/training/loop.py") == {
        f"{step}.{variant}" for step in ("trial", "train") for variant in ("gaussian_cvae", "cvae", "cvae_nf")
    }


HASHING = """
import ast, sys
from pathlib import Path
from pipeline_steps import closure
from pipeline_steps.code_hashes import hashes
from vaeline.study.reading import load

closure.CACHE = Path(sys.argv[1])
study, parse, parsed = load(), ast.parse, []
ast.parse = lambda text: parsed.append(text) or parse(text)
hashes(study)
print(len(parsed), len(set(parsed)), "torch" in sys.modules)
"""


def test_hashing_parses_a_file_once_and_loads_no_torch(tmp_path: Path) -> None:
    """The next process parses nothing, which keeps an engine quick that has nothing to do."""
    command = [sys.executable, "-c", HASHING, str(tmp_path / "seen.json")]
    first, again = (
        subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split() for _ in range(2)
    )
    assert first[0] == first[1] and int(first[0]) > 50 and first[2] == "False"
    assert again == ["0", "0", "False"]


LATER = {"vaeline.report", "vaeline.explorer"}
DRAWING = {"vaeline.runs.drawing", "vaeline.runs.samples_file", "vaeline.runs.pictures", "vaeline.runs.trained_run"}


@pytest.mark.parametrize(
    ("step", "without"),
    [
        ("download", LATER | DRAWING | {"vaeline.models", "vaeline.training", "vaeline.evaluation"}),
        ("preprocess", LATER | DRAWING | {"vaeline.models", "vaeline.training", "vaeline.evaluation"}),
        ("design", LATER | DRAWING | {"vaeline.models", "vaeline.training", "vaeline.evaluation"}),
        ("trial", LATER | DRAWING | {"vaeline.evaluation", "vaeline.metrics"}),
        ("choose", LATER | DRAWING | {"vaeline.models", "vaeline.training", "vaeline.evaluation"}),
        ("train", LATER | DRAWING | {"vaeline.evaluation", "vaeline.metrics"}),
        ("sample", LATER | {"vaeline.training", "vaeline.evaluation"}),
        ("evaluate", LATER | {"vaeline.training", "vaeline.runs.drawing", "vaeline.runs.pictures"}),
        ("report", {"vaeline.explorer", "vaeline.training", "vaeline.runs.drawing"}),
    ],
)
def test_no_step_depends_on_what_comes_after_it(step: str, without: set[str]) -> None:
    """If it did, a new colour in the report would train every variant again from its first epoch."""
    files = closure.closure([f"pipeline_steps.{step}"])
    modules = {".".join(path.relative_to(ROOT).with_suffix("").parts) for path in files}
    assert not {name for name in modules for each in without if name == each or name.startswith(f"{each}.")}
