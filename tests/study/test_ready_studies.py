"""Ready studies: inheritance, overlays; each study resolves."""

from pathlib import Path

import pytest
import yaml

from vaeline.study import ready_studies
from vaeline.study.schema import Study
from vaeline.system.errors import UserError

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def at_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


def every_study() -> list[tuple[str, bool]]:
    names = [path.stem for path in (ROOT / "studies").glob("*.yaml") if path.stem != "published"]
    return sorted((name, quick) for name in names for quick in (False, True) if not quick or has_overlay(name))


def has_overlay(name: str) -> bool:
    content = yaml.safe_load((ROOT / f"studies/{name}.yaml").read_text())
    return "quick" in content or ("extends" in content and has_overlay(content["extends"]))


def test_every_study_is_found_with_and_without_its_overlay() -> None:
    assert {study.study.name for study in ready_studies.every()} == {
        name + quick * "_quick" for name, quick in every_study()
    }


@pytest.mark.parametrize(("name", "quick"), every_study())
def test_every_study_resolves_and_has_its_files_name(name: str, quick: bool) -> None:
    assert ready_studies.resolve(name, quick).study.name == name + quick * "_quick"


def test_a_data_set_id_has_one_description_in_all_studies() -> None:
    described: dict[str, object] = {}
    for name, quick in every_study():
        study = ready_studies.resolve(name, quick)
        shared = study.dataset, study.classifier, study.training.device, study.sampling.count
        assert described.setdefault(study.dataset.id, shared) == shared


@pytest.mark.parametrize(("name", "quick"), every_study())
def test_the_text_of_a_study_reads_back_equal(name: str, quick: bool) -> None:
    study = ready_studies.resolve(name, quick)
    assert Study.model_validate(yaml.safe_load(ready_studies.as_yaml(study))) == study


def test_an_overlay_changes_keys_lists_and_parts() -> None:
    variant = {"prior": {"name": "a", "layers": 2}, "latent": 3}
    base = {"study": {"name": "old", "seeds": [1, 2]}, "variants": {"x": variant}}
    laid = ready_studies.overlay(
        base, {"study": {"name": "new", "seeds": [3]}, "variants": {"x": {"prior": {"name": "b"}}}}
    )
    assert laid == {"study": {"name": "new", "seeds": [3]}, "variants": {"x": {"prior": {"name": "b"}, "latent": 3}}}
    assert ready_studies.overlay(base, {"study": {"name": "new"}})["study"] == {"name": "new", "seeds": [1, 2]}
    assert ready_studies.merge(variant, {"prior": {"layers": 5}})["prior"] == {"name": "a", "layers": 5}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(ready_studies, "FOLDER", tmp_path)
    (tmp_path / "digits.yaml").write_text((ROOT / "studies/digits.yaml").read_text())
    return tmp_path


def test_a_study_extends_another(folder: Path) -> None:
    (folder / "more.yaml").write_text("extends: digits\nstudy: {name: more}\ntraining: {epochs: 8}\n")
    more, digits = ready_studies.resolve("more"), ready_studies.resolve("digits")
    assert more.training.epochs == 8 and more.study.name == "more"
    assert more.variants == digits.variants


@pytest.mark.parametrize("base", ["digit", "5", "[a]"])
def test_the_file_that_extends_what_is_not_there_is_named(folder: Path, base: str) -> None:
    (folder / "flowers.yaml").write_text(f"extends: {base}\n")
    with pytest.raises(UserError, match=r"studies/flowers.yaml extends .*, and there is no such study in studies/;"):
        ready_studies.resolve("flowers")


@pytest.mark.parametrize("seeds", ["5", "null"])
def test_seeds_that_are_no_list_are_a_sentence(folder: Path, seeds: str) -> None:
    (folder / "more.yaml").write_text(f"extends: digits\nstudy: {{name: more, seeds: {seeds}}}\n")
    with pytest.raises(UserError, match="study.seeds is .*, but should be a valid list"):
        ready_studies.seeds_of("more")


def test_a_study_that_extends_itself_is_refused(folder: Path) -> None:
    (folder / "a.yaml").write_text("extends: b\n")
    (folder / "b.yaml").write_text("extends: a\n")
    with pytest.raises(UserError, match="extends itself, by way of a -> b -> a"):
        ready_studies.resolve("a")


def test_an_unknown_study_is_refused_with_known_names(folder: Path) -> None:
    with pytest.raises(UserError, match="no study 'digts' in .*; did you mean digits"):
        ready_studies.resolve("digts")


@pytest.mark.parametrize("text", ["training: 3", "quick: {training: 3}", "quick: 3"])
def test_an_empty_section_is_named(folder: Path, text: str) -> None:
    (folder / "odd.yaml").write_text(text)
    with pytest.raises(UserError, match=r"odd.yaml: (quick.training|training|quick) is 3, but should contain keys"):
        ready_studies.resolve("odd", quick=True)


def test_a_missing_overlay_is_reported(folder: Path) -> None:
    with pytest.raises(UserError, match="has no quick overlay"):
        ready_studies.resolve("digits", quick=True)


def test_a_quick_overlay_is_not_compared_with_papers() -> None:
    assert ready_studies.resolve("mnist_nll").published and not ready_studies.resolve("mnist_nll", quick=True).published
