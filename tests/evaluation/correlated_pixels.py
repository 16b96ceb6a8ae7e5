"""Images whose pixels are a known Gaussian, and their reference in the space of the pixels."""

from typing import Literal

import numpy as np
import torch
from torch import Tensor

from tests import made_up
from vaeline.data.drawn_rows import drawn_rows
from vaeline.data.facts import Facts
from vaeline.data.store import Split
from vaeline.evaluation.classifier import Classifier
from vaeline.evaluation.feature_space import NO_JUDGE
from vaeline.evaluation.reference import References
from vaeline.evaluation.reference_measurement import SplitsToMeasure, measure
from vaeline.study.schema import Sampling

FACTS = Facts("tiny", (1, 2, 2), 256, (-1.0, 1.0), ["a", "b"], [["no", "yes"], ["no", "yes"]])


class Pixels:
    """A feature space with known features: the pixels."""

    prefix: Literal["fd"] = "fd"
    description, weights_sha256, says_nothing, linear = "the pixels themselves", "none", "", False

    def by_judge(self) -> dict[str, "Pixels"]:
        return {NO_JUDGE: self}

    def __call__(self, images: Tensor) -> Tensor:
        return images.flatten(1).float()


def correlated(count: int, seed: int) -> np.ndarray:
    """Images of 2x2 whose pixels are correlated and far from the ends of the range."""
    mixing = np.array([[8.0, 4.0, 0.0, 0.0], [0.0, 6.0, 3.0, 0.0], [0.0, 0.0, 10.0, 5.0], [0.0, 0.0, 0.0, 4.0]])
    rows = 120 + np.random.default_rng(seed).standard_normal((count, 4)) @ mixing
    return rows.round().astype(np.uint8).reshape(count, 1, 2, 2)


def measured(drawn: int | None = None, says_nothing: str = "", facts: Facts = FACTS) -> References:
    """The reference of images of correlated pixels, under a classifier that gives one answer to all."""
    space = Pixels()
    space.says_nothing = says_nothing
    generator = np.random.default_rng(0)
    train, test, validation = (
        Split(correlated(count, count), generator.integers(0, 2, (count, 2)), []) for count in (900, 600, 300)
    )
    torch.manual_seed(0)
    judge = Classifier(facts.image_shape, 256, [2, 2], 4, 2).eval()
    judge.skill = made_up.learned("a", "b")
    images = SplitsToMeasure(train, test, facts, drawn_rows(600, Sampling(count=drawn)), validation)
    return measure(space, {"0": judge}, images, 0)  # type: ignore[arg-type]
