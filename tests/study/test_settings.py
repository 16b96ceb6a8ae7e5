"""The values of a study at dotted keys."""

import json

from tests import made_up
from vaeline.study.settings import values


def test_values_are_those_of_the_study_as_json() -> None:
    study = made_up.study()
    found = values(study, ["training.epochs", "sampling", "variants.one"])
    assert found == {
        "training.epochs": 2,
        "sampling": {"count": None, "grid": 4, "seed": 0},
        "variants.one": study.variants["one"].model_dump(mode="json"),
    }
    assert json.loads(json.dumps(found)) == found


def test_a_key_that_the_study_lacks_is_none() -> None:
    assert values(made_up.study(), ["variants.three", "training.epochs.first", "study.seeds.0"]) == {
        "variants.three": None,
        "training.epochs.first": None,
        "study.seeds.0": None,
    }
