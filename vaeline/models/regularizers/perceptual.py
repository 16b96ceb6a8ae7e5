"""The distance of an image from its reconstruction in the features of a network (LPIPS: Zhang et al., 2018, eq. 1).

Features of each layer are scaled to length 1 at each place, and their squared differences are summed over channels, averaged
over places, and summed over layers. The network is one of our own. It learns to tell by how much an image of the training split
has been turned (Gidaris et al., 2018). This takes no labels, so that a model without labels sees none, and the network has nothing in common
with the classifiers that judge images.
"""

import math
from collections.abc import Callable, Iterator
from itertools import pairwise

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional
from torch.optim import Adam

from vaeline.models.contracts import Context, Pretrained, Regularizer, Terms, TrainingBatch, TrainsPrior
from vaeline.models.fitting import fit
from vaeline.models.output_range import centred
from vaeline.models.part_checks import require_halvings, require_images
from vaeline.study.parts import PartOptions
from vaeline.system.seeds import derive_seed
from vaeline.system.state_files import State

TURNS = 4  # by 0, 90, 180 and 270 degrees
SMALLEST = 1e-10  # squared length of features


class Options(PartOptions):
    weight: float = Field(
        1.0,
        gt=0,
        le=1e6,
        description="factor of the distance times the number of pixel values; 1 is latent diffusion's, for a Laplace likelihood of scale 1",
    )
    width: int = Field(
        16, ge=1, le=1024, description="channels of the network's first layer; each further layer doubles them"
    )
    depth: int = Field(
        3, ge=1, le=6, description="its layers, each of which enters the distance; height and width halve between them"
    )
    epochs: int = Field(3, ge=1, le=100_000, description="of its own training, which comes first")
    learning_rate: float = Field(0.001, gt=0, le=1, description="of its Adam; it falls to 0 as a cosine")


def build(options: Options, context: Context) -> "Perceptual":
    """Build the distance, and its network, not yet trained.

    Raises:
        UserError: the data are points, or the images are too small for so many layers.
    """
    require_images(context, f"regularizer {options.name}", "leave it out, or take a data set of images")
    require_halvings(context, options.depth, f"depth of regularizer {options.name}", unhalved=1)
    widths = [context.image_shape[0], *(options.width * 2**layer for layer in range(options.depth))]
    return Perceptual(TurnNetwork(widths, options, context.range), options.weight * math.prod(context.image_shape))


class Perceptual(Regularizer):
    trains_prior: TrainsPrior = "nothing"
    limits_posterior = False
    compares_images = True
    pretrained: "TurnNetwork"

    def __init__(self, network: "TurnNetwork", weight: float) -> None:
        self.pretrained, self.weight = network, weight

    def __call__(self, batch: TrainingBatch) -> Terms:
        """The weighted distance of each reconstruction from its image, (b,)."""
        return Terms({"perceptual": self.weight * self.pretrained.distance(batch.x, batch.reconstruction)})


class TurnNetwork(Pretrained):
    """Tells by how much images have been turned, from features of several layers."""

    def __init__(self, widths: list[int], options: Options, of_range: tuple[float, float]) -> None:
        super().__init__()
        self.options, self.range, self.epochs = options, of_range, options.epochs
        self.layers = nn.ModuleList(
            nn.Sequential(
                nn.Conv2d(before, after, 3, padding=1), nn.ReLU(), nn.Conv2d(after, after, 3, padding=1), nn.ReLU()
            )
            for before, after in pairwise(widths)
        )
        self.head = nn.Linear(widths[-1], TURNS)
        self.requires_grad_(False)

    def features(self, x: Tensor) -> list[Tensor]:
        """The features of each layer, (b, channels, rows, columns)."""
        found: list[Tensor] = []
        h = centred(x, self.range)
        for index, layer in enumerate(self.layers):
            h = layer(functional.max_pool2d(h, 2) if index else h)
            found.append(h)
        return found

    def distance(self, x: Tensor, y: Tensor) -> Tensor:
        """The distance of two images: 0 to 4 times the number of layers, (b,)."""
        pairs = zip(self.features(x), self.features(y), strict=True)
        return torch.stack([(_unit(a) - _unit(b)).square().sum(1).mean((1, 2)) for a, b in pairs]).sum(0)

    def fit(self, images: Callable[[int], Iterator[Tensor]], seed: int, state: State | None) -> Iterator[State]:
        """Learn to tell turned images apart, all four turns of each in a step.

        Yields:
            After each epoch: `epoch`, `loss` as the epoch's mean cross-entropy in nats, `weights`, `optimizer`.

        Raises:
            UserError: the loss is no longer finite.
        """
        if state is None:
            self._start(derive_seed("weights", seed))

        def run_epoch(adam: Adam, epoch: int) -> float:
            return self._fit_epoch(adam, images(derive_seed("turns", seed, epoch)))

        yield from fit(self, self.options, run_epoch, state, f"The network of regularizer {self.options.name}")

    def _start(self, seed: int) -> None:
        """Draw new weights: those from `build` depend on the other parts of the model."""
        torch.manual_seed(seed)
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d | nn.Linear):
                layer.reset_parameters()

    def _fit_epoch(self, adam: Adam, images: Iterator[Tensor]) -> float:
        self.requires_grad_(True)
        losses = []
        for x in images:
            # Rectangles that are turned have another shape, so each turn is a pass of its own.
            logits = torch.cat([self._logits(x.rot90(turn, (2, 3))) for turn in range(TURNS)])
            loss = functional.cross_entropy(logits, torch.arange(TURNS, device=x.device).repeat_interleave(len(x)))
            adam.zero_grad(set_to_none=True)
            loss.backward()
            adam.step()
            losses.append(loss.detach())
        self.requires_grad_(False)
        return float(torch.stack(losses).mean())

    def _logits(self, x: Tensor) -> Tensor:
        return self.head(self.features(x)[-1].mean((2, 3)))


def _unit(features: Tensor) -> Tensor:
    """Features scaled to length 1 at each place."""
    features = features.float()
    return features * (features.square().sum(1, keepdim=True) + SMALLEST).rsqrt()
