"""The recipe of a variant: its entry, and how it is trained."""

from typing import NamedTuple

from vaeline.study.schema import Study, Training, Variant


class Recipe(NamedTuple):
    """A variant's entry and its training, with all that is overridden."""

    variant: Variant
    training: Training


def recipe_of(study: Study, variant: str) -> Recipe:
    """The recipe of a variant."""
    return Recipe(study.variants[variant], study.training_of(variant))
