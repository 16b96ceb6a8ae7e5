"""The rate, and a total correlation that an adversary estimates (FactorVAE: Kim and Mnih, 2018, eq. 2).

The adversary tells codes of images, drawn from q(z), from codes whose dimensions come from different images, drawn from
prod_j q(z_j); the difference of its two logits estimates the logarithm of their ratio.
"""

from itertools import pairwise

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional

from vaeline.models.contracts import Context, Latent, Prior, TrainsPrior
from vaeline.models.part_checks import require_dimensions, require_rate
from vaeline.study.parts import PartOptions


class Options(PartOptions):
    gamma: float = Field(10.0, ge=0, description="weight of the total correlation")
    width: int = Field(1000, ge=1, le=65_536, description="units of each of the adversary's hidden layers")
    depth: int = Field(5, ge=1, le=16, description="hidden layers of the adversary")
    learning_rate: float = Field(0.0001, gt=0, le=1, description="of the adversary's own Adam")


def build(options: Options, context: Context) -> "Factor":
    """Build the regularizer and its adversary.

    Raises:
        UserError: the posterior has no rate, or the latent one dimension.
    """
    require_rate(context, "regularizer factor")
    require_dimensions(context, "regularizer factor")
    widths = [context.latent_shape[0], *[options.width] * options.depth]
    layers = [layer for sizes in pairwise(widths) for layer in (nn.Linear(*sizes), nn.LeakyReLU(0.2))]
    return Factor(nn.Sequential(*layers, nn.Linear(widths[-1], 2)), options.gamma, options.learning_rate)


class Factor:
    trains_prior: TrainsPrior = "density"
    betas = (0.5, 0.9)  # of the adversary's Adam, as Kim and Mnih have them

    def __init__(self, adversary: nn.Module, gamma: float, learning_rate: float) -> None:
        self.adversary = adversary
        self.gamma = gamma
        self.learning_rate = learning_rate

    def __call__(
        self, latent: Latent, rate: Tensor, prior: Prior, condition: Tensor | None, step: int | None
    ) -> dict[str, Tensor]:
        """The rate, the weighted total correlation, and what the adversary minimises: nats, (b,) each."""
        weights = {name: weight.detach() for name, weight in self.adversary.named_parameters()}
        of_codes = torch.func.functional_call(self.adversary, weights, (latent.z,))  # its weights get no gradient
        codes = latent.z.detach()
        logits = self.adversary(torch.cat([codes, permute_dimensions(codes)]))
        kind = torch.arange(2, device=codes.device).repeat_interleave(len(codes))  # 0: of images, 1: permuted
        cross_entropy = functional.cross_entropy(logits.float(), kind, reduction="none")
        return {
            "kl": rate,
            "total_correlation": self.gamma * (of_codes[:, 0].float() - of_codes[:, 1].float()),
            "adversary": cross_entropy.unflatten(0, (2, -1)).mean(0),
        }


def permute_dimensions(z: Tensor) -> Tensor:
    """Deal each column of z, (b, latent), to other rows, every column in an order of its own."""
    orders = torch.rand(z.shape, device=z.device).argsort(0)
    return z.gather(0, orders)
