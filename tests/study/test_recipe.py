"""The recipe of a variant, and which tunings are refused before anything is trained."""

import math
from pathlib import Path
from typing import Any

import pytest

from tests.made_up import study_content
from vaeline.study import reading
from vaeline.study.recipe import recipe_of, recipe_of_trial
from vaeline.study.schema import Study
from vaeline.system.errors import UserError

RATE = {"training.learning_rate": {"log": [0.0001, 0.01]}}


def tuned(**tuning: Any) -> Study:
    content = study_content() | {"tuning": {"trials": [0, 1], "epochs": 4, "space": RATE, **tuning}}
    return reading.check(content, Path("params.yaml"))


def test_a_point_replaces_keys_of_the_entry_and_of_its_training() -> None:
    study = tuned()
    point = {"training.learning_rate": 0.003, "regularizer.weight": 2.0, "network.widths": [8]}
    variant, training = recipe_of(study, "one", point)
    assert (variant.regularizer.weight, variant.network.widths) == (2.0, [8])  # type: ignore[attr-defined]
    assert training == study.training.model_copy(update={"learning_rate": 0.003})
    assert variant.training == {"learning_rate": 0.003}
    assert recipe_of_trial(study, "one", point).training == training.model_copy(update={"epochs": 4})
    assert recipe_of(study, "one") == (study.variants["one"], study.training)


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "an empty range": ({"space": {"training.learning_rate": {"log": [0.01, 0.01]}}}, "no range of several values"),
    "a range of one": ({"space": {"training.optimizer": {"among": ["adam"]}}}, "no range of several values"),
    "an infinite end": ({"space": {"regularizer.weight": {"linear": [0, math.inf]}}}, "no range of several values"),
    "an infinite end of a logarithm": ({"space": {"training.learning_rate": {"log": [0.1, math.inf]}}}, "no range of several values"),
    "no number": ({"space": {"regularizer.weight": {"linear": [math.nan, 1]}}}, "no range of several values"),
    "a huge whole number": ({"space": {"latent": {"whole": [1, 10**400]}}}, "no range of several values"),
    "a ratio that overflows": ({"space": {"training.eps": {"log": [1e-320, 1]}}}, "no range of several values"),
    "values that do not go together": (
        {"space": {"training.schedule": {"among": ["milestones", "cosine"]}, "training.milestones": {"among": [[], [2]]}}, "trials": [0, 1, 2, 3, 4, 5, 6, 7]},
        "schedule cosine has no milestones, but milestones is [2]",
    ),
    "a logarithm of 0": ({"space": {"training.eps": {"log": [0, 0.01]}}}, "give {log: [low, high]} above 0"),
    "two ranges": ({"space": {"latent": {"whole": [1, 2], "among": [1, 2]}}}, "no range of several values"),
    "an unknown kind": ({"space": {"latent": {"int": [1, 2]}}}, "should be 'log', 'linear', 'whole' or 'among'"),
    "an unknown key": ({"space": {"regularizer.wait": {"linear": [1, 2]}}}, "regularizer.wait, which variant one does not have (there are: name, weight"),
    "an unknown key of training": ({"space": {"training.rate": {"log": [1, 2]}}}, "training.rate, which cannot be tuned; of training, these can: batch_size"),
    "a part": ({"space": {"regularizer": {"among": [1, 2]}}}, "which has keys itself; name one of them: name, weight"),
    "another part": ({"space": {"prior.name": {"among": ["standard", "vamp"]}}}, "another part is another variant"),
    "the budget": ({"space": {"training.epochs": {"whole": [1, 9]}}}, "training.epochs, which cannot be tuned"),
    "a density": ({"space": {"density.epochs": {"whole": [1, 9]}}}, "no trial fits a density"),
    "values that a key refuses": ({"space": {"training.learning_rate": {"linear": [0.5, 2]}}}, "Variant one cannot have training.learning_rate: 2.0, which lies in tuning.space: learning_rate is 2.0, but should be less than or equal to 1; narrow the space"),
    "fractions": ({"space": {"latent": {"linear": [1, 9]}}}, "latent is 1.0, but should be a valid integer"),
    "a number of trials": ({"trials": 4}, "tuning.trials is 4, but should list the trials; write [0, 1, 2, 3]"),
    "nothing to tune": ({"space": {}}, "has 2 trials, but space has no key"),
    "a repeated trial": ({"trials": [0, 0]}, "tuning.trials is [0, 0], but must name each once"),
    "an unknown metric": ({"metric": "nll"}, "tuning.metric is 'nll', but should be 'validation_negative_elbo'"),
    "a metric that is tuned itself": ({"metric": "validation_objective", "space": {"regularizer.weight": {"log": [1, 9]}}}, "take validation_negative_elbo"),
    "a metric that the weakest regularizer wins": ({"metric": "validation_distortion", "space": {"regularizer.weight": {"log": [1, 9]}}}, "is lowest for the weakest regularizer"),
    "too many keys": ({"space": {f"a{n}": {"log": [1, 2]} for n in range(9)}}, "holds 9 keys, but should hold at most 8"),
}  # fmt: skip


@pytest.mark.parametrize(("tuning", "sentence"), REFUSED.values(), ids=REFUSED)
def test_a_tuning_that_cannot_work_is_refused_at_the_door(tuning: dict[str, Any], sentence: str) -> None:
    with pytest.raises(UserError) as refused:
        tuned(**tuning)
    assert sentence in str(refused.value) and str(refused.value).startswith("params.yaml: ")
    assert "\n" not in str(refused.value)


def test_a_space_is_checked_while_tuning_is_off() -> None:
    with pytest.raises(UserError, match="does not have"):
        tuned(trials=[], space={"regularizer.wait": {"linear": [1, 2]}})


def test_null_is_a_value_among_others() -> None:
    study = tuned(space={"training.gradient_clip": {"among": [None, 1.0]}})
    assert recipe_of(study, "one", {"training.gradient_clip": None}).training.gradient_clip is None


def test_a_value_of_a_former_space_is_not_blamed_on_the_space() -> None:
    with pytest.raises(
        UserError, match="cannot have regularizer.weight as its tuning chose: .*; run the study again"
    ) as refused:
        recipe_of(tuned(), "one", {"regularizer.weight": "heavy"})
    assert "tuning.space" not in str(refused.value)
    with pytest.raises(UserError) as refused:
        recipe_of(tuned(), "one", {"training.learning_rate": 7.0, "training.epochs": 4})
    assert "cannot have training.learning_rate: 7.0, which lies in tuning.space" in str(refused.value)


def test_the_last_epoch_of_a_trial_is_validated() -> None:
    content = study_content() | {"tuning": {"trials": [0], "epochs": 3, "space": RATE}}
    content["training"] |= {"validate_every": 2}
    with pytest.raises(
        UserError, match="tuning.epochs is 3, but must be a multiple of 2, .*; set tuning.epochs to 2 or 4"
    ):
        reading.check(content, Path("params.yaml"))
