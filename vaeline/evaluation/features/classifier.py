"""The last hidden layer of the pipeline's own classifier, as a feature space."""

from pathlib import Path

import torch
from torch import Tensor

from vaeline.data.facts import Facts
from vaeline.evaluation.classifier import Classifier, of_images
from vaeline.evaluation.feature_space import Features
from vaeline.study.parts import PartOptions


class Options(PartOptions):
    pass


def build(options: Options, facts: Facts, data: Path, device: torch.device | str = "cpu") -> "ClassifierFeatures":
    """Load the feature space of the classifier that the classifier stage wrote into `data`."""
    return ClassifierFeatures(of_images(facts, data).to(device))


class ClassifierFeatures(Features):
    def __init__(self, classifier: Classifier) -> None:
        self.classifier = classifier
        self.weights_sha256 = classifier.weights_sha256
        self.says_nothing = classifier.skill.why_nothing
        self.description = (
            f"the last hidden layer of the pipeline's own classifier, {classifier.architecture['features']} dimensions"
        )

    @torch.inference_mode()
    def __call__(self, images: Tensor) -> Tensor:
        return self.classifier(images.to(self.classifier.log_frequency.device))
