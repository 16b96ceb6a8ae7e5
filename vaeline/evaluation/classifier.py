"""The classifier of a data set: its network, and what it sees in images.

A small convolutional network has one softmax head for each label column; the head of an attribute has two values.
"""

import math
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from vaeline.data.on_demand import Images, blocks
from vaeline.evaluation.skill import Skill

LEARNED_FROM = ("train", "validation")  # the splits that decide a classifier
SMALLEST_MAP = 4  # sides are halved until the map is no larger
DROPOUT = 0.5


class Classifier(nn.Module):
    """Pairs of convolutions that halve the image, a hidden layer (the features), a head for each label column.

    Args:
        image_shape: channel, height, width.
        levels: a pixel is 0..levels-1.
        cardinalities: number of values of each label column.
        width: channels of the first pair; the second has twice as many, all others four times.
        features: dimensions of the feature space.
    """

    log_frequency: Tensor
    weights_sha256 = ""  # checksum of its tensors; empty if it was not read from a file
    settings: Mapping[str, Any] = {}  # of the study that it was trained with
    data: Mapping[str, str] = dict.fromkeys(LEARNED_FROM, "")  # split -> SHA-256
    skill = Skill(0, {})  # what it can tell apart; nothing was tested yet

    def __init__(
        self, image_shape: tuple[int, ...], levels: int, cardinalities: list[int], width: int, features: int
    ) -> None:
        super().__init__()
        self.architecture = {
            "image_shape": list(image_shape), "levels": levels, "cardinalities": cardinalities,
            "width": width, "features": features,
        }  # fmt: skip
        self.levels, self.cardinalities = levels, cardinalities
        strides = _strides(max(image_shape[1:]))
        widths = [image_shape[0], *(width * min(2**layer, 4) for layer in range(len(strides)))]
        side = [math.ceil(size / math.prod(strides)) for size in image_shape[1:]]
        pairs = [
            nn.Sequential(*_convolution(before, after, stride), *_convolution(after, after, 1))
            for (before, after), stride in zip(pairwise(widths), strides, strict=True)
        ]
        self.trunk = nn.Sequential(
            *pairs, nn.Flatten(), nn.Dropout(DROPOUT), nn.Linear(widths[-1] * math.prod(side), features), nn.SiLU()
        )
        self.heads = nn.Linear(features, sum(cardinalities))
        self.register_buffer("log_frequency", torch.zeros(sum(cardinalities)))

    def forward(self, images: Tensor) -> Tensor:
        """Features of images, uint8 (n, channel, height, width): float32, (n, features)."""
        x = images.float() * (2 / (self.levels - 1)) - 1
        features: Tensor = self.trunk(x)
        return features

    def logits(self, images: Tensor) -> tuple[Tensor, ...]:
        """Unnormalised log p(label|image), (n, cardinality) for each column."""
        return self.heads(self(images)).split(self.cardinalities, 1)

    def loss(self, images: Tensor, labels: Tensor) -> Tensor:
        """Cross-entropy of labels, (n, columns), summed over columns and averaged over images: nats."""
        columns = zip(self.logits(images), labels.unbind(1), strict=True)
        return torch.stack([functional.cross_entropy(logits, column) for logits, column in columns]).sum()

    def predict(self, images: Tensor) -> Tensor:
        """The labels seen in images, int64 (n, columns).

        Each value counts relative to its frequency in training, which is what maximises balanced accuracy
        (Menon et al., 2021, eq. 9); without this a rare attribute is never seen. A value that hardly any training image has would
        be seen everywhere, and is never predicted.
        """
        adjusted = self.heads(self(images)) - self.log_frequency
        return torch.stack([column.argmax(1) for column in adjusted.split(self.cardinalities, 1)], 1)


def predict(classifier: Classifier, images: Images) -> Tensor:
    """The labels seen in any number of images, int64 (n, columns), on the CPU."""
    with torch.inference_mode():
        return torch.cat([classifier.predict(batch).cpu() for batch in _on_device(classifier, images)])


def _on_device(classifier: Classifier, images: Images) -> Iterator[Tensor]:
    return (torch.from_numpy(block).to(classifier.log_frequency.device) for block in blocks(images))


def probabilities(classifier: Classifier, images: Images) -> list[Tensor]:
    """p(label|image) of any number of images, (n, values) for each column, on the CPU."""
    with torch.inference_mode():
        batches = [classifier.logits(batch) for batch in _on_device(classifier, images)]
    return [torch.cat(column).softmax(1).cpu() for column in zip(*batches, strict=True)]


def _convolution(before: int, after: int, stride: int) -> tuple[nn.Module, ...]:
    return nn.Conv2d(before, after, 3, stride, padding=1, bias=False), nn.BatchNorm2d(after), nn.SiLU()


def _strides(side: int) -> list[int]:
    """The stride of each pair: 2, except 1 for the first pair of small images."""
    strides = [1] if side <= 4 * SMALLEST_MAP else []
    while math.ceil(side / math.prod(strides)) > SMALLEST_MAP:
        strides.append(2)
    return strides
