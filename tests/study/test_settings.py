"""The values of a study at dotted keys."""

import json

from tests import made_up
from vaeline.study.settings import differences, values


def test_values_are_those_of_the_study_as_json() -> None:
    study = made_up.study()
    found = values(study, ["training.epochs", "sampling", "variants.one"])
    assert found == {
        "training.epochs": 2,
        "sampling": {"count": 10_000, "grid": 4, "noise": "mean", "seed": 0},
        "variants.one": study.variants["one"].model_dump(mode="json"),
    }
    assert json.loads(json.dumps(found)) == found


def test_a_key_that_the_study_lacks_is_none() -> None:
    assert values(made_up.study(), ["variants.three", "training.epochs.first", "study.seeds.0"]) == {
        "variants.three": None,
        "training.epochs.first": None,
        "study.seeds.0": None,
    }


def test_settings_that_differ_are_named_with_both_values() -> None:
    made = {"classifier": {"epochs": 20, "flip": False}, "training.device": "auto", "gone": 1}
    now = {"classifier": {"epochs": 30, "flip": False}, "training.device": "auto", "new": [2]}
    assert differences(made, now) == ["classifier.epochs 20, now 30", "gone 1, now absent", "new absent, now [2]"]
    assert differences(made, made) == []


def test_the_order_of_keys_is_no_difference() -> None:
    made = {"variants.flow": {"flows": [{"length": 3, "name": "planar"}], "latent": 2}}
    now = {"variants.flow": {"latent": 2, "flows": [{"name": "planar", "length": 3}]}}
    assert differences(made, now) == []
