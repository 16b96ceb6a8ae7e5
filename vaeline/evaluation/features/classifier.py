"""The pipeline's own classifier: the judge of conditions, whose last hidden layer is also a feature space.

A small convolutional network with one softmax head for each label column; the head of an attribute has two values. It is
trained against overfitting with dropout, weight decay, and a learning rate that falls to 0 along a cosine, so that it
depends on the subject of an image more than on sharpness or noise.
"""

from pathlib import Path

import torch
from torch import Tensor

from vaeline.data.facts import Facts
from vaeline.evaluation.classifier import Classifier, of, path_in
from vaeline.evaluation.feature_space import Features
from vaeline.study.parts import PartOptions
from vaeline.system.files import sha256


class Options(PartOptions):
    pass


def build(options: Options, facts: Facts, data: Path, device: torch.device | str = "cpu") -> "ClassifierFeatures":
    """Load the feature space of the classifier that the classifier stage wrote into `data`."""
    return ClassifierFeatures(of(facts, data).to(device), sha256(path_in(data, facts.dataset_id)))


class ClassifierFeatures(Features):
    def __init__(self, classifier: Classifier, weights_sha256: str) -> None:
        self.classifier = classifier
        self.weights_sha256 = weights_sha256
        self.description = (
            f"the last hidden layer of the pipeline's own classifier, {classifier.settings['features']} dimensions"
        )

    @torch.inference_mode()
    def __call__(self, images: Tensor) -> Tensor:
        return self.classifier(images.to(self.classifier.log_frequency.device))
