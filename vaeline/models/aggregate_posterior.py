"""The aggregate posterior of a model, q(z) = 1/N sum_n q(z|x_n), on which latent diagnostics and low-posterior samples rest."""

import copy
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor

from vaeline.data.batches import Batches
from vaeline.metrics._aggregate_posterior import AggregatePosterior, Sample
from vaeline.models.model import Model

LOST = 1e-3  # of z, relative to its size: an inverse that misses by more has lost its way


class Aggregate(Protocol):
    """Of the images of a split; tensors on the CPU."""

    def log_prob(self, z: Tensor) -> Tensor: ...  # (n, latent) -> nats, (n,), float64; NaN where it cannot be known

    def sample(self, count: int, generator: torch.Generator) -> Sample: ...


def why_no_aggregate(model: Model) -> str:
    """What keeps the aggregate posterior's density from being known; empty where nothing does."""
    if model.posterior.kind == "density" and model.posterior.shared_flow is None:
        return "each image has a flow of its own, through which z of other images would have to be taken back"
    return {"point": "the posterior is a point", "codes": "latents are codes"}.get(model.posterior.kind, "")


@torch.inference_mode()
def posteriors(model: Model, images: Batches, seed: int) -> tuple[Tensor, Tensor]:
    """Mean and log-variance of each image's Gaussian, of z or of a flow's z0: (n, latent) each, on the CPU."""
    # Only means and variances are kept, into which no sample enters.
    found = [model.posterior.parameters_of(model.features(x, labels)) for x, labels in images.ordered(seed)]
    mean, log_var = (torch.cat([each.cpu() for each in half]) for half in zip(*found, strict=True))
    return mean, log_var


def aggregate_posterior(model: Model, images: Batches, seed: int) -> Aggregate:
    """The aggregate posterior of a split, where `why_no_aggregate` has nothing to say."""
    gaussians = AggregatePosterior(*posteriors(model, images, seed))
    if model.posterior.kind == "gaussian":
        return gaussians
    return _ThroughFlow(gaussians, copy.deepcopy(model.posterior.shared_flow).cpu().double())


@dataclass(frozen=True)
class _ThroughFlow:
    """An aggregate posterior seen through the flow that all of its images share.

    In 64 bits, on the CPU: a flow may shrink a direction to a millionth, and 32 bits do not find the way back.
    """

    base: AggregatePosterior
    flow: Any  # a vaeline.contracts.Flow

    @torch.inference_mode()
    def log_prob(self, z: Tensor) -> Tensor:
        z = z.cpu().double()
        z0 = self.flow.inverse(z)
        again, log_det = self.flow.forward(z0)
        missed = (again - z).abs().amax(1) > LOST * (1 + z.abs().amax(1))
        return (self.base.log_prob(z0) - log_det).masked_fill(missed, torch.nan)

    @torch.inference_mode()
    def sample(self, count: int, generator: torch.Generator) -> Sample:
        drawn = self.base.sample(count, generator)
        z, log_det = self.flow.forward(drawn.z.double())
        return Sample(z.float(), drawn.log_q - log_det)
