"""What a classifier was shown to tell apart: its labels on validation images, against chance. No torch is needed to read it."""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from vaeline.metrics._chance import against_chance
from vaeline.system.errors import some_of

# The p-value below which a label counts as learned. It is not 0.05: the epoch was chosen on the same validation images.
LEVEL = 0.01
MOST_IMAGES = 20_000  # that are tested
MOST_NAMED = 8  # labels in a sentence
REMEDY = "raise classifier.epochs, lower classifier.batch_size, give more images, or choose labels that the images show (dataset.labels)"


class LearnedNothing(UserWarning):
    """A classifier was not shown to be better than chance on a label, or on all of them."""


@dataclass(frozen=True)
class LabelSkill:
    """A label on the validation images."""

    balanced_accuracy: float
    chance: float  # balanced accuracy if the answers are dealt to other images
    p: float  # of the test against chance, adjusted for the number of labels

    @property
    def learned(self) -> bool:
        """Whether the classifier is better than chance."""
        return self.p <= LEVEL


@dataclass(frozen=True)
class Skill:
    """What a classifier was shown to tell apart. A label that was not tested does not count as learned."""

    images: int  # that were tested
    labels: Mapping[str, LabelSkill | None]  # None: fewer than two values could be tested

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> "Skill":
        """Skill read from JSON."""
        labels = {name: each and LabelSkill(**each) for name, each in content["labels"].items()}
        return cls(content["images"], labels)

    @property
    def unlearned(self) -> list[str]:
        """The labels on which the classifier was not shown to be better than chance."""
        return [name for name, each in self.labels.items() if each is None or not each.learned]

    @property
    def why_nothing(self) -> str:
        """Why the classifier says nothing, as in `the classifier was not shown to ...`; empty if it was shown to tell at least one label."""
        if len(self.unlearned) < len(self.labels):
            return ""
        tested = self.described() if self.labels else "no label was tested"
        return f"the classifier was not shown to be better than chance on {self.images:,} validation images ({tested})"

    def described(self) -> str:
        """The labels that were not learned, with their accuracies, as in `digit 0.30 where chance is 0.30`."""
        return some_of([f"{name} {_in_words(self.labels[name])}" for name in self.unlearned], MOST_NAMED)

    def warn(self, who: str = "classifier") -> None:
        """Warn of what was not learned, and say what to do.

        Args:
            who: the classifier, in words.

        Warns:
            LearnedNothing: a label was not learned.
        """
        if why := self.why_nothing:
            warnings.warn(
                f"The {who}{why.removeprefix('the classifier')}; condition_accuracy and all distances in its features will be dashes; {REMEDY}.",
                LearnedNothing,
                stacklevel=3,
            )
        elif self.unlearned:
            warnings.warn(
                f"The {who} was not shown to be better than chance on these labels of {self.images:,} validation images, which "
                f"condition_accuracy leaves out: {self.described()}; {REMEDY}.",
                LearnedNothing,
                stacklevel=3,
            )


def skill_of(predicted: np.ndarray, labels: np.ndarray, names: Sequence[str], seed: int) -> Skill:
    """Test a classifier on validation images.

    Args:
        predicted: values that it saw, (images, columns).
        labels: the true values, the same shape; -1 for values that do not count.
        names: of the columns.
        seed: of the test.
    """
    tested = against_chance(predicted, labels, seed)
    return Skill(len(labels), {name: each and LabelSkill(*each) for name, each in zip(names, tested, strict=True)})


def _in_words(skill: LabelSkill | None) -> str:
    if skill is None:
        return "was not tested (fewer than two values have images)"
    return f"{skill.balanced_accuracy:.2f} where chance is {skill.chance:.2f}"
