"""The rate, and a total correlation that an adversary estimates (FactorVAE: Kim and Mnih, 2018, eq. 2).

The adversary tells z drawn from q(z) from z whose dimensions come from different images, drawn from prod_j q(z_j). The
difference of its two logits estimates the logarithm of the ratio of the two densities.
"""

from itertools import pairwise

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional

from vaeline.models.contracts import Adversary, Context, Regularizer, Terms, TrainingBatch, TrainsPrior
from vaeline.models.part_checks import require_dimensions, require_rate
from vaeline.models.regularizers._adversary import judged
from vaeline.study.parts import PartOptions
from vaeline.system import ranks

BETAS = (0.5, 0.9)  # of the adversary's Adam (Kim and Mnih, 2018)


class Options(PartOptions):
    gamma: float = Field(10.0, ge=0, description="weight of the total correlation")
    width: int = Field(1000, ge=1, le=65_536, description="units of each of the adversary's hidden layers")
    depth: int = Field(5, ge=1, le=16, description="hidden layers of the adversary")
    learning_rate: float = Field(0.0001, gt=0, le=1, description="of the adversary's Adam")


def build(options: Options, context: Context) -> "Factor":
    """Build the regularizer and its adversary.

    Raises:
        UserError: the posterior has no rate, or the latent has one dimension.
    """
    require_rate(context, f"regularizer {options.name}")
    require_dimensions(context, f"regularizer {options.name}")
    widths = [context.latent_shape[0], *[options.width] * options.depth]
    layers = [layer for sizes in pairwise(widths) for layer in (nn.Linear(*sizes), nn.LeakyReLU(0.2))]
    network = nn.Sequential(*layers, nn.Linear(widths[-1], 2))
    return Factor(Adversary(network, options.learning_rate, BETAS), options.gamma)


class Factor(Regularizer):
    trains_prior: TrainsPrior = "density"
    adversary: Adversary

    def __init__(self, adversary: Adversary, gamma: float) -> None:
        self.adversary = adversary
        self.gamma = gamma

    def __call__(self, batch: TrainingBatch) -> Terms:
        """The rate, the weighted total correlation, and what the adversary minimises: nats, (b,) each."""
        assert batch.rate is not None
        z = batch.latent.z
        logits = judged(self.adversary.network, z)  # (b, 2)
        total_correlation = logits[:, 0] - logits[:, 1]
        return Terms(
            {"kl": batch.rate, "total_correlation": self.gamma * total_correlation}, self._cross_entropy(z.detach())
        )

    def _cross_entropy(self, z: Tensor) -> Tensor:
        """The adversary's cross-entropy on z and on z with permuted dimensions, without a gradient in z: nats, (b,)."""
        permuted = ranks.own(permute_dimensions(ranks.whole(z)))
        logits = self.adversary.network(torch.cat([z, permuted]))
        kind = torch.arange(2, device=z.device).repeat_interleave(len(z))  # 0: of images, 1: permuted
        cross_entropy = functional.cross_entropy(logits.float(), kind, reduction="none")
        return cross_entropy.unflatten(0, (2, -1)).mean(0)


def permute_dimensions(z: Tensor) -> Tensor:
    """Permute the rows of each column of z, (b, latent), independently of the other columns."""
    orders = torch.rand(z.shape, device=z.device).argsort(0)
    return z.gather(0, orders)
