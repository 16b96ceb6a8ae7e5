"""The classifier maps images of any size to features and labels."""

import pytest
import torch

from tests.evaluation.bright_halves import bright_halves
from vaeline.evaluation.classifier import Classifier, probabilities


def test_rare_labels_are_predicted_at_balanced_odds() -> None:
    """An image that fits both values equally well shows the rare one as soon as it is likelier than by frequency."""
    classifier = Classifier((1, 8, 8), 256, [2], 4, 4).eval()
    torch.nn.init.zeros_(classifier.heads.weight)
    classifier.heads.bias.data = torch.tensor([0.9, 0.1]).log()
    image = torch.zeros(1, 1, 8, 8, dtype=torch.uint8)
    assert classifier.predict(image).item() == 0
    classifier.log_frequency = torch.tensor([0.95, 0.05]).log()
    assert classifier.predict(image).item() == 1


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("side", [4, 8, 9, 17, 28, 32, 64, 86])
def test_images_of_any_size_become_features(channels: int, side: int) -> None:
    classifier = Classifier((channels, side, side), 256, [10], 4, 7).eval()
    assert classifier(torch.zeros(2, channels, side, side, dtype=torch.uint8)).shape == (2, 7)


def test_probabilities_are_the_softmax_of_the_logits(trained: Classifier) -> None:
    images = bright_halves(30, 5).images
    found = probabilities(trained, images)
    assert [tuple(column.shape) for column in found] == [(30, values) for values in trained.cardinalities]
    for column, logits in zip(found, trained.logits(torch.from_numpy(images)), strict=True):
        torch.testing.assert_close(column, logits.softmax(1), atol=1e-5, rtol=0)
