"""The classifiers: their network, their training and their file.

A small convolutional network has one softmax head for each label column; the head of an attribute has two values. It is
trained against overfitting with dropout, weight decay, and a learning rate that falls to 0 along a cosine, so that it
depends on the subject of an image more than on sharpness or noise.
"""

import copy
import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from vaeline.data.batches import Batches
from vaeline.data.evenly_spaced import evenly_spaced
from vaeline.data.facts import FEWEST, Facts
from vaeline.data.on_demand import BATCH, Images, blocks
from vaeline.data.paths import DataFiles
from vaeline.data.store import POINTS, Split, SplitOnDemand
from vaeline.evaluation.record import UNLABELLED
from vaeline.evaluation.shared_files import AGAIN
from vaeline.evaluation.skill import MOST_IMAGES, Skill, skill_of
from vaeline.study import schema
from vaeline.study.schema import Study
from vaeline.study.step_settings import require_settings, settings_of
from vaeline.system.errors import UserError, reading_ours
from vaeline.system.progress import Bar
from vaeline.system.seeds import derive_seed
from vaeline.system.tensor_files import checksum, joined, parted, read_tensors, write_tensors
from vaeline.system.tensor_headers import read_about

SMALLEST_MAP = 4  # sides are halved until the map is no larger
DROPOUT = 0.5
WEIGHT_DECAY = 0.05


LEARNED_FROM = ("train", "validation")  # the splits that decide it


def of(facts: Facts, data: Path, study: Study) -> dict[str, "Classifier"]:
    """The classifiers of the images of a store, trained with the settings of a study, by their seeds.

    Args:
        facts: of the store.
        data: folder of the files of all data sets.
        study: that would use them.

    Returns:
        The classifiers; none if the images have no labels.

    Raises:
        UserError: as in `of_images`; or they were trained with other settings.
    """
    path, wanted = DataFiles(facts.dataset_id, data).classifier, settings_of(study, "classifier")
    if not facts.label_names:
        made = read_about(path, AGAIN["classifier"]).get("settings", {})
        require_settings(path, made, wanted, AGAIN["classifier"])
        return {}
    classifiers = of_images(facts, data)
    made = next(iter(classifiers.values())).settings
    require_settings(path, made, wanted, AGAIN["classifier"])
    return classifiers


def why_none(facts: Facts) -> str:
    """Why no classifier can be trained on images, in words; empty if one can."""
    return POINTS if facts.points else "" if facts.label_names else UNLABELLED


def require_labels(facts: Facts) -> None:
    """Refuse images without labels, whose classifier would be a feature space.

    Raises:
        UserError: they have none.
    """
    if not facts.points and not facts.label_names:
        raise UserError(
            f"The images of {facts.dataset_id} have no labels to train evaluation.features classifier on; set evaluation.features to "
            "{name: principal_components, dimensions: 64} or {name: inception}."
        )


def of_images(facts: Facts, data: Path) -> dict[str, "Classifier"]:
    """The classifiers that the classifier stage wrote into `data` for the images of a store, with whatever settings, by their seeds.

    Raises:
        UserError: their file is missing, damaged, or of other images.
    """
    path = DataFiles(facts.dataset_id, data).classifier
    classifiers = load(path)
    one = next(iter(classifiers.values()))  # what is checked here is the same for all
    made = {key: one.architecture[key] for key in ("image_shape", "levels", "cardinalities")}
    asked = {"image_shape": list(facts.image_shape), "levels": facts.levels, "cardinalities": facts.label_cardinalities}
    if made != asked:
        raise UserError(
            f"{path} is a classifier of other images: {_described(made)}, where these are {_described(asked)}; {AGAIN['classifier']}."
        )
    if one.data != _data(facts):
        raise UserError(
            f"{path} was trained on another training split than that of {facts.dataset_id}, and may know today's test images, or "
            f"was chosen on another validation split; {AGAIN['classifier']}."
        )
    return classifiers


def _data(facts: Facts) -> dict[str, str]:
    return {name: facts.checksums.get(name, "") for name in LEARNED_FROM}


def _described(architecture: Mapping[str, Any]) -> str:
    shape, values = "x".join(map(str, architecture["image_shape"])), ", ".join(map(str, architecture["cardinalities"]))
    return f"{shape} with {architecture['levels']} levels and labels of {values} values"


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


def train(
    train: Split | SplitOnDemand,
    validation: Split | SplitOnDemand,
    facts: Facts,
    settings: schema.Classifier,
    device: torch.device | str = "cpu",
) -> dict[str, Classifier]:
    """Train a classifier with each seed, one after the other, and keep its epoch of the lowest validation cross-entropy.

    On the CPU a classifier is the same for the same seed and number of threads, whatever the other seeds.

    Returns:
        The classifiers by their seeds.

    Raises:
        UserError: a loss is no longer finite.
    """
    if max(facts.label_cardinalities) < 2:
        raise UserError(
            f"The labels of {facts.dataset_id} have a single value each, so that no classifier can be trained on them; "
            "give images of at least two classes, or with attributes that differ."
        )
    facts.warn_of_rare()
    return {str(seed): _train(train, validation, facts, settings, seed, device) for seed in settings.seeds}


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


def save(path: Path, classifiers: Mapping[str, Classifier], study: Study) -> None:
    """Write the classifiers of a data set, by their seeds, with what they are of: architecture, settings, data and skills."""
    one = next(iter(classifiers.values()))
    about = {
        "architecture": one.architecture,
        "data": dict(one.data),
        "settings": settings_of(study, "classifier"),
        "skills": {seed: asdict(classifier.skill) for seed, classifier in classifiers.items()},
    }
    write_tensors(path, joined({seed: _state(classifier) for seed, classifier in classifiers.items()}), about)


def skip(path: Path, why: str, study: Study) -> None:
    """Write, in place of classifiers, why a data set has none."""
    write_tensors(path, {}, {"skipped": why, "settings": settings_of(study, "classifier")})


def load(path: Path) -> dict[str, Classifier]:
    """Read the classifiers of a data set, on the CPU, in evaluation mode, by their seeds.

    Raises:
        UserError: the file is missing or damaged.
    """
    file = read_tensors(path, AGAIN["classifier"])
    found = {}
    with reading_ours(path, AGAIN["classifier"]):
        tensors = parted(file.tensors)
        for seed, skill in file.about["skills"].items():
            classifier = Classifier(**file.about["architecture"])
            classifier.load_state_dict(tensors[seed])
            classifier.settings, classifier.data = file.about["settings"], file.about["data"]
            classifier.skill = Skill.from_dict(skill)
            classifier.weights_sha256 = checksum(tensors[seed])
            found[seed] = classifier.to(memory_format=torch.channels_last).eval()
        if not found:
            raise ValueError("it has no classifier")
    return found


def _state(classifier: Classifier) -> dict[str, Tensor]:
    return {name: tensor.cpu() for name, tensor in classifier.state_dict().items()}


def _convolution(before: int, after: int, stride: int) -> tuple[nn.Module, ...]:
    return nn.Conv2d(before, after, 3, stride, padding=1, bias=False), nn.BatchNorm2d(after), nn.SiLU()


def _strides(side: int) -> list[int]:
    """The stride of each pair: 2, except 1 for the first pair of small images."""
    strides = [1] if side <= 4 * SMALLEST_MAP else []
    while math.ceil(side / math.prod(strides)) > SMALLEST_MAP:
        strides.append(2)
    return strides


def _log_frequency(labels: Tensor, cardinalities: list[int]) -> Tensor:
    """Log-frequencies of all values of all columns, concatenated; infinity for a value that is too rare, so that it is never predicted."""
    columns = zip(labels.unbind(1), cardinalities, strict=True)
    counts = torch.cat([torch.bincount(column, minlength=values) for column, values in columns])
    return torch.where(counts >= FEWEST, (counts / len(labels)).log(), torch.inf)


def _train(
    train: Split | SplitOnDemand,
    validation: Split | SplitOnDemand,
    facts: Facts,
    settings: schema.Classifier,
    seed: int,
    device: torch.device | str,
) -> Classifier:
    with torch.random.fork_rng([device] if torch.device(device).type == "cuda" else []):
        torch.manual_seed(derive_seed("classifier weights and dropout", seed))
        classifier = Classifier(
            facts.image_shape, facts.levels, facts.label_cardinalities, settings.width, settings.features
        )
        classifier.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        batches = Batches(train, facts, settings.batch_size, device)
        classifier.log_frequency.copy_(_log_frequency(batches.labels, facts.label_cardinalities))
        held_out = Batches(validation, facts, BATCH, device)
        classifier.load_state_dict(_best_epoch(classifier, batches, held_out, settings, seed, device))
    classifier.data = _data(facts)
    classifier.skill = _skill(classifier.eval(), validation, facts, seed)
    classifier.skill.warn(f"classifier of seed {seed}" if len(settings.seeds) > 1 else "classifier")
    return classifier


def _best_epoch(
    classifier: Classifier,
    batches: Batches,
    validation: Batches,
    settings: schema.Classifier,
    seed: int,
    device: torch.device | str,
) -> dict[str, Tensor]:
    """Train, and return the state after the epoch of the lowest validation cross-entropy."""
    optimizer = torch.optim.AdamW(
        classifier.parameters(), lr=settings.learning_rate, weight_decay=WEIGHT_DECAY, fused=True
    )
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, settings.epochs)
    generator = torch.Generator(device).manual_seed(derive_seed("classifier batches", seed))
    best, best_loss = classifier.state_dict(), math.inf
    with Bar("training", settings.epochs, unit="epochs") as bar:
        for _ in range(settings.epochs):
            _train_epoch(classifier, optimizer, batches, generator, settings)
            schedule.step()
            loss = _validation_loss(classifier, validation)
            if not math.isfinite(loss):
                raise UserError(
                    f"The classifier's validation loss is {loss}; lower classifier.learning_rate ({settings.learning_rate})."
                )
            if loss < best_loss:
                best, best_loss = copy.deepcopy(classifier.state_dict()), loss
            bar.advance(1, f"validation {loss:.3f}")
    return best


def _skill(classifier: Classifier, validation: Split | SplitOnDemand, facts: Facts, seed: int) -> Skill:
    rows = evenly_spaced(len(validation.images), MOST_IMAGES)
    seen = predict(classifier, validation.some(rows).images).numpy()
    return skill_of(
        seen,
        facts.learnable(validation.labels[rows]),
        facts.label_names,
        derive_seed("classifier against chance", seed),
    )


def _train_epoch(
    classifier: Classifier,
    optimizer: torch.optim.Optimizer,
    batches: Batches,
    generator: torch.Generator,
    settings: schema.Classifier,
) -> None:
    classifier.train()
    for images, labels in batches.augmented(generator, settings.flip, settings.rotation):
        loss = classifier.loss(images, labels)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()


@torch.inference_mode()
def _validation_loss(classifier: Classifier, validation: Batches) -> float:
    classifier.eval()
    losses = (classifier.loss(*batch).item() * len(batch[1]) for batch in validation.stored())
    return sum(losses) / len(validation.labels)
