"""A sample of the posterior q(z|x): one class for each kind of posterior.

Shapes: a continuous latent is a vector, (b, latent), a discrete one a map of vectors, (b, latent, rows, columns).
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from torch import Tensor

from vaeline.models import gaussian

# A posterior is a point without a density; a Gaussian with a known mean and variance; a Gaussian sent through a flow; a ladder
# of Gaussians, each given those above it; or discrete: indices of a codebook, each certain given the image.
Kind = Literal["point", "gaussian", "flow", "ladder", "discrete"]
# Posteriors whose samples have a density, and a rate that training can lower.
SAMPLED: tuple[Kind, ...] = ("gaussian", "flow", "ladder")


@dataclass(frozen=True)
class Latent:
    """One sample of each image's posterior."""

    z: Tensor  # what the decoder takes, (b, latent) or (b, latent, rows, columns)

    @property
    def log_q(self) -> Tensor | None:
        """log q(z|x), nats, (b,); None if the posterior has no density."""
        return None

    @property
    def density_input(self) -> Tensor:
        """What priors and densities take: z, or the indices of a discrete latent."""
        return self.z


@dataclass(frozen=True)
class PointLatent(Latent):
    """The one z of each image, without a density."""


@dataclass(frozen=True)
class GaussianLatent(Latent):
    """A sample of N(mean, exp(log_var))."""

    mean: Tensor  # (b, latent)
    log_var: Tensor  # (b, latent)

    @cached_property
    def log_q(self) -> Tensor:
        """log q(z|x), nats, (b,); most training steps take the rate in closed form and never ask."""
        return gaussian.log_prob(self.z, self.mean, self.log_var)


@dataclass(frozen=True)
class FlowLatent(Latent):
    """A sample of a Gaussian, sent through a flow."""

    base: GaussianLatent  # z0
    log_det: Tensor  # log|det dz/dz0| of the flow, (b,)

    @property
    def log_q(self) -> Tensor:
        """log q(z|x) = log q0(z0|x) - log|det dz/dz0|, nats, (b,)."""
        return self.base.log_q - self.log_det


@dataclass(frozen=True)
class LadderLatent(GaussianLatent):
    """A sample of Gaussians whose means and variances depend on the levels above, as they were at this sample."""

    levels: tuple[int, ...]  # dimensions of each level, the lowest first


@dataclass(frozen=True)
class DiscreteLatent(Latent):
    """Vectors of a codebook; z is the last of `quantized`, with the gradient of `encoded`."""

    indices: Tensor  # of the codebook, (b, rows, stages * columns)
    encoded: Tensor  # the encoder's vectors, the shape of z
    quantized: Tensor  # sums of the codebook's vectors up to each stage, with their own gradient, (stages, *shape of z)

    @property
    def log_q(self) -> Tensor:
        """0: the indices are certain given the image."""
        return self.z.new_zeros(len(self.z))

    @property
    def density_input(self) -> Tensor:
        return self.indices
