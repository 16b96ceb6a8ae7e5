"""The recipe of a variant: its entry, and how it is trained, with what its tuning has chosen."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from pydantic import ValidationError

from vaeline.study import design
from vaeline.study.design import Value, value_at
from vaeline.study.schema import OF_VARIANTS, Study, Training, Variant, nearest_multiples
from vaeline.system.errors import UserError, first_mistake, shown

OF_BUDGET = ("epochs", "validate_every", "patience")  # keys of training that are the same for all trials
MISLED = {  # metric -> what becomes of it if the regularizer or the bound is tuned
    "validation_objective": "is another quantity for each value of",
    "validation_distortion": "is lowest for the weakest regularizer, whatever the samples are, and cannot choose",
}
ALMOST_ONE = 1 - 2.0**-53
UNTUNED: Mapping[str, Value] = {}


class Recipe(NamedTuple):
    """A variant's entry and its training, with all that is overridden."""

    variant: Variant
    training: Training


def recipe_of(study: Study, variant: str, point: Mapping[str, Value] = UNTUNED) -> Recipe:
    """The recipe of a variant.

    Args:
        study: that has the variant.
        variant: its name.
        point: the values of tuned keys, as in {training.learning_rate: 0.001, regularizer.weight: 2.0}.

    Raises:
        UserError: the variant does not have a key, or the key does not take the value.
    """
    content = study.variants[variant].model_dump(mode="json")
    for key, value in point.items():
        _put(content, key, value, variant)
    try:
        entry = Variant.model_validate(content)
        return Recipe(entry, study.training_with(entry.training))
    except ValidationError as error:
        tuned = ", ".join(f"{key}: {shown(value)}" for key, value in point.items() if key in study.tuning.space)
        if not tuned:
            raise UserError(
                f"Variant {variant} cannot have {', '.join(point)} as its tuning chose: {first_mistake(error)}; run the study again."
            ) from error
        raise UserError(
            f"Variant {variant} cannot have {tuned}, which lies in tuning.space: {first_mistake(error)}; narrow the space to values that "
            "every variant takes, together with any of the others."
        ) from error


def recipe_of_trial(study: Study, variant: str, point: Mapping[str, Value]) -> Recipe:
    """The recipe of a trial: that of the variant, with the epochs of a trial."""
    return recipe_of(study, variant, {**point, "training.epochs": study.tuning.epochs})


def check_tuning(study: Study) -> None:
    """Check that every variant that runs can have the ends of the space, and the values of every trial, so that no trial finds out.

    Raises:
        UserError: names the key, and what would work.
    """
    space, metric = study.tuning.space, study.tuning.metric
    for key in space:
        _check_can_be_tuned(key)
        if metric in MISLED and key.startswith(("regularizer.", "bound.")):
            raise UserError(f"tuning.metric {metric} {MISLED[metric]} {key}; take validation_negative_elbo.")
    points = [design.point(space, study.tuning.seed, trial) for trial in study.tuning.trials]
    for variant in study.study.variants if space else ():
        _check_epochs(study, variant)
        for key, range_ in space.items():
            for value in range_.get("among") or [value_at(range_, end) for end in (0.0, ALMOST_ONE)]:
                recipe_of(study, variant, {key: value})
        for tried in points:
            recipe_of_trial(study, variant, tried)


def _check_epochs(study: Study, variant: str) -> None:
    every = study.training_of(variant).validate_every
    if study.tuning.trials and study.tuning.epochs % every:
        raise UserError(
            f"tuning.epochs is {study.tuning.epochs}, but must be a multiple of {every}, training.validate_every of variant {variant}, because "
            f"the last epoch of a trial is validated; set tuning.epochs to {nearest_multiples(study.tuning.epochs, every)}."
        )


def _check_can_be_tuned(key: str) -> None:
    section, _, rest = key.partition(".")
    if section == "training" and rest not in set(OF_VARIANTS) - set(OF_BUDGET):
        allowed = ", ".join(each for each in OF_VARIANTS if each not in OF_BUDGET)
        raise UserError(f"tuning.space names {key}, which cannot be tuned; of training, these can: {allowed}.")
    if section == "density":
        raise UserError(
            f"tuning.space names {key}, but no trial fits a density, which is fitted after training; leave it out."
        )
    if key.endswith(".name"):
        raise UserError(f"tuning.space names {key}, but another part is another variant; add an entry to variants.")


def _put(content: dict[str, Any], key: str, value: Value, variant: str) -> None:
    """Set a dotted key of a variant's content."""
    *path, last = key.split(".")
    if path == ["training"]:
        content["training"][last] = value
        return
    inner: Any = content
    for step in path:
        inner = inner.get(step) if isinstance(inner, dict) else None
    if not isinstance(inner, dict) or last not in inner:
        there = ", ".join(inner if isinstance(inner, dict) else content)
        raise UserError(
            f"tuning.space names {key}, which variant {variant} does not have (there are: {there}); name keys that every variant of the "
            "study has, or tune in a study of its own."
        )
    if isinstance(inner[last], dict):
        raise UserError(f"tuning.space names {key}, which has keys itself; name one of them: {', '.join(inner[last])}.")
    inner[last] = value
