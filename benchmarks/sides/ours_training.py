"""Our training: steps alone, or whole epochs with validation on two images and a checkpoint."""

import shutil
from collections.abc import Callable

import numpy as np
import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from benchmarks.side import Work
from benchmarks.work import FACES, LATENT, TRAINING, attributes, digits, faces
from vaeline.data.batches import Batches
from vaeline.data.facts import Facts
from vaeline.data.store import Split
from vaeline.models.contracts import Network
from vaeline.models.model import Model
from vaeline.models.networks._layers import Half
from vaeline.study.schema import Training, Variant
from vaeline.system.devices import device_of, prepare_process
from vaeline.training.checkpoints import Checkpoints
from vaeline.training.job import Job
from vaeline.training.loop import train
from vaeline.training.step import Step, stepper

GREYS = Facts("digits", (1, 28, 28), 256, (0.0, 1.0), ["none"], [["none"]], pixels="greys", counts={"train": 1})
COLOURS = Facts(
    "faces",
    (3, FACES["size"], FACES["size"]),
    256,
    (-1.0, 1.0),
    [f"attribute {column}" for column in range(FACES["columns"])],
    [["no", "yes"]] * FACES["columns"],
    counts={"train": 1},
)
PLAIN = {
    "condition": None,
    "posterior": {"name": "gaussian"},
    "prior": {"name": "standard"},
    "likelihood": {"name": "bernoulli"},
    "regularizer": {"name": "kl"},
}
CONDITIONAL = {
    "network": {"name": "conv", "width": 32, "depth": 4},
    "latent": 64,
    "condition": {"embedding": 8},
    "posterior": {"name": "gaussian"},
    "prior": {"name": "conditional_flow", "flow": {"name": "affine_coupling", "layers": 4, "hidden": 64}},
    "likelihood": {"name": "optimal_sigma"},
    "regularizer": {"name": "kl"},
}


def digit_model(network: str) -> Model:
    """Build the VAE of the races against Pythae, with Pythae's perceptron (`mlp`) or its convolutional network (`conv`)."""
    options = {"name": "mlp", "widths": [512], "activation": "relu"}
    model = Model(Variant.model_validate({**PLAIN, "latent": LATENT, "network": options}), GREYS)
    if network == "conv":
        model.network = PythaeConv()
    return model


def training(network: str, precision: str) -> Work:
    """Train on digits for one epoch per turn."""
    images = digits(torch, TRAINING[network]["images"])
    labels = torch.zeros(len(images), 1, dtype=torch.int64)
    return epochs(lambda: digit_model(network), GREYS, images, labels, TRAINING[network]["batch"], precision)


def steps(network: str, precision: str) -> Work:
    """Take the steps of an epoch without a checkpoint, whose cost would exceed that of the few images of a turn."""
    images = digits(torch, TRAINING[network]["images"])
    labels = torch.zeros(len(images), 1, dtype=torch.int64)
    batches = Batches(_split(images, labels), GREYS, TRAINING[network]["batch"])
    return _epoch_of(batches, _stepper(lambda: digit_model(network), precision))


def face_steps(precision: str) -> Work:
    """Take the steps of an epoch on faces."""
    images, labels = faces(torch, FACES["images"], FACES["size"]), attributes(torch, FACES["images"])
    return _epoch_of(Batches(_split(images, labels), COLOURS, FACES["batch"]), face_stepper(precision))


def face_stepper(precision: str) -> Step:
    """Set up the training step of the CVAE with a flow prior on faces."""
    return _stepper(lambda: Model(Variant.model_validate(CONDITIONAL), COLOURS), precision)


def moment_of(kind: str) -> tuple[Step, Batches]:
    """A step and a batch to train with for a moment: the perceptron on digits (`mlp`), or the CVAE with a flow prior on faces."""
    count = 128
    if kind == "mlp":
        batches = Batches(_split(digits(torch, count), torch.zeros(count, 1, dtype=torch.int64)), GREYS, count)
        return _stepper(lambda: digit_model(kind), "32-true"), batches
    images, labels = faces(torch, count, FACES["size"]), attributes(torch, count)
    return face_stepper("32-true"), Batches(_split(images, labels), COLOURS, count)


def _epoch_of(batches: Batches, step: Step) -> Work:
    def work() -> float:
        for number, (x, labels) in enumerate(batches.shuffled(0)):
            step(x, labels, number)
        return len(batches.labels)

    return work


def _stepper(build: Callable[[], Model], precision: str) -> Step:
    prepare_process(torch.get_num_threads())
    torch.manual_seed(0)
    settings = Training(epochs=1, learning_rate=7e-4, precision=precision)  # type: ignore[arg-type]
    fabric = Fabric(accelerator=device_of("cpu").type, devices=1, precision=precision)  # type: ignore[arg-type]
    step = stepper(build(), settings, fabric)
    step.model.train()
    return step


def epochs(
    build: Callable[[], Model], facts: Facts, images: Tensor, labels: Tensor, batch: int, precision: str
) -> Work:
    """Train a new model for one epoch per turn."""
    prepare_process(torch.get_num_threads())
    whole, few = (Batches(_split(images[:n], labels[:n]), facts, batch) for n in (len(images), 2))
    settings = Training(epochs=1, learning_rate=7e-4, batch_size=batch, precision=precision)  # type: ignore[arg-type]
    fabric = Fabric(accelerator=device_of("cpu").type, devices=1, precision=precision)  # type: ignore[arg-type]
    checkpoints = Checkpoints("benchmark", {"precision": precision, "facts": str(facts), "batch": batch})

    def work() -> float:
        torch.manual_seed(0)
        shutil.rmtree(checkpoints.folder, ignore_errors=True)
        checkpoints.folder.mkdir(parents=True)
        train(Job(build(), whole, few, settings, seed=0), checkpoints, fabric, lambda _: None)
        shutil.rmtree(checkpoints.folder)
        return len(images)

    return work


def _split(images: Tensor, labels: Tensor) -> Split:
    return Split(images.numpy(), labels.numpy().astype(np.int64), [""] * len(images))


class PythaeConv(Network):
    """Pythae's convolutional network for MNIST, under our contract for networks."""

    def __init__(self) -> None:
        down = [
            _block(nn.Conv2d(before, after, 4, 2, 1), after)
            for before, after in ((1, 128), (128, 256), (256, 512), (512, 1024))
        ]
        encoder = nn.Sequential(*down, nn.Flatten(), nn.Linear(1024, 2 * LATENT))
        decoder = nn.Sequential(
            nn.Linear(LATENT, 1024 * 4 * 4),
            nn.Unflatten(1, (1024, 4, 4)),
            _block(nn.ConvTranspose2d(1024, 512, 3, 2, 1), 512),
            _block(nn.ConvTranspose2d(512, 256, 3, 2, 1, 1), 256),
            nn.ConvTranspose2d(256, 1, 3, 2, 1, 1),
        )
        super().__init__(Half(encoder), Half(decoder), map_size=(1, 1))


def _block(conv: nn.Module, width: int) -> nn.Sequential:
    return nn.Sequential(conv, nn.BatchNorm2d(width), nn.ReLU())
