"""The JSON schemas that editors use accept what the schema of a study accepts, and mark unknown keys."""

from functools import cache
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator

from vaeline.study import json_schema, ready_studies
from vaeline.study.json_schema import READY, WHOLE
from vaeline.study.reading import read_yaml

ROOT = Path(__file__).parents[2]


@cache
def validator(name: str) -> Draft7Validator:
    schema = json_schema.schemas()[name]
    Draft7Validator.check_schema(schema)
    return Draft7Validator(schema)


def mistakes(name: str, study: Any) -> list[str]:
    return [f"{'.'.join(map(str, each.path))}: {each.message}" for each in validator(name).iter_errors(study)]


def test_the_committed_schemas_equal_the_generated_ones() -> None:
    for path, text in json_schema.files().items():
        assert (ROOT / path).read_text(encoding="utf-8") == text, "run `make parts`"


def test_every_study_is_accepted_and_names_its_schema(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    for study in ready_studies.every():
        assert mistakes(WHOLE, study.model_dump(mode="json")) == [], study.study.name
    for path in (ready_studies.FOLDER / f"{name}.yaml" for name in ready_studies.names()):
        assert mistakes(READY, read_yaml(path)) == [], path
        assert path.read_text(encoding="utf-8").startswith(json_schema.head("../", READY)), path
    assert Path("params.yaml").read_text(encoding="utf-8").startswith(json_schema.head())


@pytest.mark.parametrize(
    ("where", "key"),
    [
        ((), "sudy"),
        (("study",), "seed"),
        (("dataset", "split"), "sead"),
        (("variants", "cvae_nf"), "latents"),
        (("variants", "cvae_nf", "training"), "threads"),
        (("variants", "cvae_nf", "prior"), "layers"),
        (("variants", "cvae_nf", "prior", "flow"), "hiden"),
        (("evaluation", "features"), "weights"),
    ],
)
def test_an_unknown_key_is_marked(where: tuple[str, ...], key: str) -> None:
    for name in (WHOLE, READY):
        study = ready_studies.resolve("digits").model_dump(mode="json")
        entry = study
        for step in where:
            entry = entry[step]
        entry[key] = 1
        [mistake] = mistakes(name, study)
        assert f"'{key}' was unexpected" in mistake and mistake.startswith(".".join(where))


def test_the_keys_of_a_data_set_are_those_of_its_name() -> None:
    study = ready_studies.resolve("digits").model_dump(mode="json")
    study["dataset"] |= {"name": "torchvision", "options": {"class_name": "MNIST", "arguments": {}}}
    assert mistakes(WHOLE, study) == mistakes(READY, study) == []
    study["dataset"]["options"] = {"class_nam": "MNIST"}
    assert len(mistakes(WHOLE, study)) == 3 and len(mistakes(READY, study)) == 1


def test_params_contains_every_key_and_a_ready_study_need_not() -> None:
    study = ready_studies.resolve("digits").model_dump(mode="json")
    del study["variants"]["cvae"]["prior"]["name"], study["training"]["decay"]
    assert mistakes(READY, study) == []
    assert len(mistakes(WHOLE, study)) == 2


def test_an_own_part_is_accepted_with_any_keys() -> None:
    study = ready_studies.resolve("digits").model_dump(mode="json")
    study["variants"]["cvae"]["prior"] = {"name": "mine", "sharpness": 3}
    assert mistakes(WHOLE, study) == mistakes(READY, study) == []
