"""The project's own parts follow the rules of vaeline's parts."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipeline_steps.closure import closure
from tests.made_up import OF_RUN
from tests.models.test_contracts import EXAMPLE_OF_PAGE, FACTS, VECTORS
from vaeline.models.model import Model
from vaeline.runs import model_files
from vaeline.study import keys_page, parts, ready_studies
from vaeline.study.reading import check
from vaeline.study.schema import Variant
from vaeline.system.errors import UserError

Write = Callable[[str, str, str], Path]
OWN_PRIOR = {**VECTORS, "prior": {"name": "laplace", "scale": 0.5}}


def study_with(variant: dict[str, Any]) -> dict[str, Any]:
    content = ready_studies.resolve("digits").model_dump(mode="json")
    return {**content, "variants": {**content["variants"], "cvae": variant}}


def test_a_study_names_an_own_part_by_its_file(write_own: Write) -> None:
    write_own("priors", "laplace", EXAMPLE_OF_PAGE)
    found = check(study_with(OWN_PRIOR), Path("params.yaml")).variants["cvae"]
    assert found.prior.model_dump() == {"name": "laplace", "scale": 0.5}
    assert type(Model(found, FACTS).prior).__name__ == "Laplace"
    assert parts.names("priors") == sorted([*parts.built_in("priors"), "laplace"])
    assert parts.own_files(found) == [f"{parts.OWN}/priors/laplace.py"]
    assert [*parts.modules_of(found)].count(f"{parts.OWN}.priors.laplace") == 1


def test_own_parts_are_not_on_the_page_of_keys(write_own: Write) -> None:
    before = keys_page.document()
    assert keys_page.of_own_parts() == ""
    write_own("priors", "laplace", EXAMPLE_OF_PAGE)
    assert keys_page.document() == before
    assert "### prior `laplace`" in keys_page.of_own_parts() and "| `scale` |" in keys_page.of_own_parts()


@pytest.mark.parametrize("family", parts.OWN_FAMILIES)
def test_an_own_part_with_the_name_of_a_built_in_one_is_refused(family: str, write_own: Write) -> None:
    name = parts.built_in(family)[0]
    write_own(family, name, "")
    with pytest.raises(
        UserError, match=f"/{family}/{name}.py has the name of a part of vaeline, vaeline/.*/{name}.py; give it"
    ):
        check(ready_studies.resolve("digits").model_dump(mode="json"), Path("params.yaml"))


@pytest.mark.parametrize(
    ("family", "name", "sentence"),
    [
        ("prior", "laplace", "/prior is no family of parts; the families are: networks, .*Rename the folder"),
        ("plots", "mine", "/plots is no family of parts"),
        ("", "laplace", "/laplace.py lies in the folder of no family; move it to .*/<family>/laplace.py"),
        ("priors", "my-prior", "/my-prior.py has a name that no study can contain"),
        ("priors", "Laplace", "/Laplace.py has a name that no study can contain"),
    ],
)
def test_an_own_part_that_no_study_finds_is_refused(family: str, name: str, sentence: str, write_own: Write) -> None:
    write_own(family, name, EXAMPLE_OF_PAGE)
    with pytest.raises(UserError, match=sentence):
        parts.check_own()


def test_other_code_beside_own_parts_is_left_alone(write_own: Write) -> None:
    for family, name in (("_shared", "layers"), ("priors", "_shared"), ("", "_shared"), ("", "__init__")):
        write_own(family, name, "")
    parts.check_own()
    assert parts.names("priors") == parts.built_in("priors")


def test_an_unknown_part_is_answered_with_both_folders(write_own: Write) -> None:
    with pytest.raises(
        UserError, match=f"'laplace', which is no file of vaeline/models/priors or {parts.OWN}/priors; there are"
    ):
        check(study_with(OWN_PRIOR), Path("params.yaml"))


@pytest.mark.parametrize(
    "files", [["__init__.py", "priors/laplace.py"], ["__init__.py", "priors/mine.py"], ["__init__.py"]]
)
def test_another_package_in_the_place_of_own_parts_is_named(
    files: list[str], write_own: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_own("priors", "laplace", EXAMPLE_OF_PAGE)
    for file in files:
        other = tmp_path / "first" / parts.OWN / file
        other.parent.mkdir(parents=True, exist_ok=True)
        other.write_text(EXAMPLE_OF_PAGE if file == "priors/laplace.py" else "")
    monkeypatch.syspath_prepend(tmp_path / "first")
    with pytest.raises(UserError, match="Python imports .*first.* in the place of"):
        parts.module("priors", "laplace")


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ("import nosuch", "No module named 'nosuch'"),
        ("from torch import nosuch", "cannot import name 'nosuch' from 'torch' .*"),
        ("from {package}.priors.laplace import nosuch", "cannot import name 'nosuch' from .*"),
    ],
)
def test_an_own_part_that_cannot_be_imported_is_named(wrong: str, why: str, write_own: Write) -> None:
    write_own("priors", "laplace", f"{wrong.format(package=parts.OWN)}\n{EXAMPLE_OF_PAGE}")
    with pytest.raises(
        UserError, match=rf"/priors/laplace.py cannot be imported \({why}\); correct the import, or ins"
    ):
        parts.module("priors", "laplace")


def test_a_run_says_which_own_parts_it_needs(write_own: Write, tmp_path: Path) -> None:
    source = write_own("priors", "laplace", EXAMPLE_OF_PAGE)
    model_files.save(tmp_path / "run", Model(Variant.model_validate(OWN_PRIOR), FACTS), FACTS, OF_RUN)
    model_files.load(tmp_path / "run")
    source.unlink()
    with pytest.raises(
        UserError, match=r"variant.yaml was made with the project's own .*/priors/laplace.py, which .* copy"
    ):
        model_files.load(tmp_path / "run")


def test_the_projects_own_package_is_part_of_the_code() -> None:
    assert Path(parts.ROOT / parts.OWN / "__init__.py") in closure([f"{parts.OWN}.priors"])
    assert "parts" not in sys.modules or Path(str(sys.modules["parts"].__file__)).parent == parts.own_folder("")
