"""The last hidden layer of the pipeline's own classifier, as a feature space."""

from pathlib import Path

import torch
from torch import Tensor

from vaeline.data.facts import Facts
from vaeline.data.paths import DataFiles
from vaeline.evaluation.classifier import Classifier, of
from vaeline.evaluation.feature_space import Features
from vaeline.study.parts import PartOptions
from vaeline.system.files import sha256


class Options(PartOptions):
    pass


def build(options: Options, facts: Facts, data: Path, device: torch.device | str = "cpu") -> "ClassifierFeatures":
    """Load the feature space of the classifier that the classifier stage wrote into `data`."""
    return ClassifierFeatures(of(facts, data).to(device), sha256(DataFiles(facts.dataset_id, data).classifier))


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
