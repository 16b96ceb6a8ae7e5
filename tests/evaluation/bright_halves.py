"""Images whose labels say which half of them is bright, and the classifier that learns them."""

from typing import Any

import numpy as np
import pytest

from vaeline.data.facts import Facts
from vaeline.data.store import Split
from vaeline.evaluation import classifier_training
from vaeline.evaluation.classifier import Classifier
from vaeline.study import schema

quiet = pytest.mark.filterwarnings("ignore::vaeline.evaluation.skill.LearnedNothing")  # two epochs teach little

SETTINGS = schema.Classifier(seeds=[0], epochs=12, width=4, features=8, learning_rate=0.01, batch_size=32, threads=1)
SEVERAL = SETTINGS.model_copy(update={"epochs": 1, "seeds": [3, 0]})


def train(*arguments: Any) -> Classifier:
    """The one classifier that the settings ask for."""
    return classifier_training.train(*arguments)["0"]


def facts_of(images: np.ndarray, cardinalities: list[int], levels: int = 256) -> Facts:
    names = [f"label_{column}" for column in range(len(cardinalities))]
    values = [[str(value) for value in range(cardinality)] for cardinality in cardinalities]
    _, channels, height, width = images.shape
    return Facts("tiny", (channels, height, width), levels, (-1.0, 1.0), names, values)


def bright_halves(count: int, seed: int) -> Split:
    """The first label says which of left and right is bright, the second which of top and bottom; the second is rarely 1."""
    generator = np.random.default_rng(seed)
    labels = np.stack([generator.random(count) < 0.5, generator.random(count) < 0.15], 1).astype(np.int64)
    images = generator.integers(0, 100, (count, 3, 8, 8), dtype=np.uint8)
    for image, (side, end) in zip(images, labels, strict=True):
        image[:, :, 4 * side : 4 * side + 4] += 60
        image[:, 4 * end : 4 * end + 4] += 60
    return Split(images, labels, [])
