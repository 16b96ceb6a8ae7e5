"""InfoVAE: the rate, and the aggregate posterior's maximum mean discrepancy from the prior (Zhao et al., 2019, eq. 6).

(1 - alpha) KL(q(z|x) || p(z)) + (alpha + lambda - 1) MMD(q(z), p(z)), under the kernel exp(-|a - b|^2 / (2 bandwidth)).
The prior's samples are reparameterised, so that they train a learned prior too (Bhalodia et al., 2020, appendix B).
"""

import torch
from pydantic import Field
from torch import Tensor

from vaeline.models.contracts import Context, Regularizer, Terms, TrainingBatch, TrainsPrior
from vaeline.study.parts import PartOptions
from vaeline.system import ranks
from vaeline.system.errors import UserError


class Options(PartOptions):
    alpha: float = Field(0.0, le=1, ge=-100, description="1 minus the weight of the rate")
    scale: float = Field(1000.0, ge=0, description="lambda; the discrepancy's weight is alpha + lambda - 1")
    bandwidth: float | None = Field(
        None, gt=0, description="of the kernel, a squared length; null for the latent's dimensions"
    )


def build(options: Options, context: Context) -> "Discrepancy":
    """Build the two weighted terms.

    Raises:
        UserError: the posterior is discrete, or has no rate to weigh; or the discrepancy's weight is not above 0.
    """
    if context.posterior == "discrete":
        raise UserError(
            f"regularizer {options.name} compares vectors, but the latents of a posterior of kind discrete are indices; take regularizer commitment."
        )
    if options.alpha + options.scale <= 1:
        raise UserError(
            f"regularizer.alpha {options.alpha:g} and scale {options.scale:g} give the discrepancy the weight "
            f"{options.alpha + options.scale - 1:g}, which does not lower it; raise scale above {1 - options.alpha:g}."
        )
    if context.posterior == "point" and options.alpha != 1:
        raise UserError(
            f"regularizer.alpha is {options.alpha:g}, but posterior deterministic has no rate to weigh; set alpha to 1."
        )
    return Discrepancy(
        1 - options.alpha, options.alpha + options.scale - 1, options.bandwidth or float(context.latent_shape[0])
    )


class Discrepancy(Regularizer):
    compares_samples = True

    def __init__(self, weight: float, discrepancy_weight: float, bandwidth: float) -> None:
        self.weight, self.discrepancy_weight, self.bandwidth = weight, discrepancy_weight, bandwidth
        self.trains_prior: TrainsPrior = "density" if weight else "samples"

    def __call__(self, batch: TrainingBatch) -> Terms:
        """The weighted rate of each image, and the weighted discrepancy of the batch, the same for each: nats, (b,)."""
        z, condition = ranks.whole(batch.latent.z), batch.condition
        condition = None if condition is None else ranks.whole(condition)
        with ranks.undealt():  # a kernel takes pairs of images, so that every rank draws for the whole batch
            drawn = batch.prior.sample(len(z), condition).to(z.device)
        discrepancy = squared_discrepancy(z, drawn, self.bandwidth)
        terms = {"mmd": (self.discrepancy_weight * discrepancy).expand(len(batch.latent.z))}
        return Terms(terms if batch.rate is None or not self.weight else {"kl": self.weight * batch.rate, **terms})


def squared_discrepancy(first: Tensor, second: Tensor, bandwidth: float) -> Tensor:
    """The squared maximum mean discrepancy of two samples, (n, d) and (m, d): its V-statistic, at least 0 (Gretton et al., 2012)."""

    def kernel(a: Tensor, b: Tensor) -> Tensor:
        squares = a.square().sum(1, keepdim=True) - 2 * a @ b.t() + b.square().sum(1)
        return (-squares.clamp_min(0) / (2 * bandwidth)).exp().mean()

    with torch.autocast(first.device.type, enabled=False):  # the differences are lost in 16 bits
        return kernel(first, first) + kernel(second, second) - 2 * kernel(first, second)
