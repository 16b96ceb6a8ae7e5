"""A classifier that tests share, because its training takes a second."""

import pytest
import torch

from tests.evaluation.bright_halves import SETTINGS, bright_halves, facts_of, train
from vaeline.evaluation.classifier import Classifier


@pytest.fixture(scope="session")
def trained() -> Classifier:
    torch.set_num_threads(1)
    images = bright_halves(300, 0)
    return train(images, bright_halves(60, 1), facts_of(images.images, [2, 2]), SETTINGS)
