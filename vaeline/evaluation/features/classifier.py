"""The last hidden layer of the pipeline's own classifier, as a feature space; of several classifiers, each is a space of its own."""

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from vaeline.data.facts import Facts
from vaeline.evaluation.classifier import Classifier
from vaeline.evaluation.classifier_file import of_images, require_labels
from vaeline.evaluation.feature_space import Features
from vaeline.study.parts import PartOptions


class Options(PartOptions):
    pass


def build(options: Options, facts: Facts, data: Path, device: torch.device | str = "cpu") -> "ClassifierFeatures":
    """Load the feature spaces of the classifiers that the classifier stage wrote into `data`.

    Raises:
        UserError: the images have no labels, or the file of the classifiers cannot be used.
    """
    require_labels(facts)
    return ClassifierFeatures({seed: each.to(device) for seed, each in of_images(facts, data).items()})


class ClassifierFeatures(Features):
    """The space of the first classifier; `by_judge` gives those of all."""

    def __init__(self, classifiers: Mapping[str, Classifier]) -> None:
        self.classifiers = classifiers
        self.classifier = next(iter(classifiers.values()))
        self.weights_sha256 = self.classifier.weights_sha256
        self.says_nothing = self.classifier.skill.why_nothing
        self.description = f"the last hidden layer of the pipeline's own classifier, {self.classifier.architecture['features']} dimensions"

    @torch.inference_mode()
    def __call__(self, images: Tensor) -> Tensor:
        """Images, uint8 (n, channel, height, width), to features, (n, dimensions)."""
        return self.classifier(images.to(self.classifier.log_frequency.device))

    def by_judge(self) -> Mapping[str, Features]:
        """The space of each classifier, by its seed."""
        return {seed: ClassifierFeatures({seed: each}) for seed, each in self.classifiers.items()}
