"""The pipeline's own classifier: the judge of conditions, whose last hidden layer is also a feature space.

A small convolutional network with one softmax head for each label column; an attribute's head has two values.
It is trained with the usual care against learning by heart (dropout, weight decay, a learning rate that falls to 0 along
a cosine): a judge that knows the subject looks at it, and less at sharpness or noise.
"""

from pathlib import Path
from typing import Literal

import torch
from torch import Tensor

from vaeline.data.facts import Facts
from vaeline.data.paths import DataFiles
from vaeline.evaluation.classifier import Classifier, of
from vaeline.study.parts import PartOptions
from vaeline.system.files import sha256


class Options(PartOptions):
    pass


def build(options: Options, facts: Facts, data: Path, device: torch.device | str = "cpu") -> "Features":
    """Load the feature space of the classifier that the classifier stage wrote into `data`."""
    return Features(of(facts, data).to(device), sha256(DataFiles(facts.dataset_id, data).classifier))


class Features:
    """The classifier's feature space, as a Frechet distance wants it."""

    prefix: Literal["fd"] = "fd"

    def __init__(self, classifier: Classifier, weights_sha256: str) -> None:
        self.classifier = classifier
        self.weights_sha256 = weights_sha256
        self.description = (
            f"the last hidden layer of the pipeline's own classifier, {classifier.settings['features']} dimensions"
        )

    @torch.inference_mode()
    def __call__(self, images: Tensor) -> Tensor:
        """Features of images, uint8 (n, channel, height, width): float32, (n, dimensions)."""
        return self.classifier(images.to(self.classifier.log_frequency.device))
