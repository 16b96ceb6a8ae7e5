"""The aggregate posterior of a model, q(z) = 1/N sum_n q(z|x_n)."""

import copy
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from vaeline.data.batches import Batches
from vaeline.metrics._aggregate_posterior import AggregatePosterior, Sample
from vaeline.models.contracts import Flow
from vaeline.models.model import Model

MOST_MISSED = 1e-3  # of z, relative to its size: an inverse that misses by more is wrong


class Aggregate(Protocol):
    """The aggregate posterior of a split; tensors are on the CPU."""

    def log_prob(self, z: Tensor) -> Tensor: ...  # (n, latent) -> nats, (n,), float64; NaN where it cannot be known

    def sample(self, count: int, generator: torch.Generator) -> Sample: ...


def why_no_aggregate(model: Model) -> str:
    """Why the density of the aggregate posterior is unknown; empty if it is known."""
    if model.posterior.kind == "flow" and model.posterior.shared_flow is None:
        return "each image has a flow of its own, and z of other images would have to be inverted through it"
    reasons = {
        "point": "the posterior is a point",
        "ladder": "the posterior of a level depends on the levels above, and would have to be computed for each pair of z and image",
        "discrete": "latents are discrete",
    }
    return reasons.get(model.posterior.kind, "")


@torch.inference_mode()
def posteriors(model: Model, images: Batches, seed: int) -> tuple[Tensor, Tensor]:
    """Mean and log-variance of each image's Gaussian, of z or of a flow's z0: (n, latent) each, on the CPU."""
    # Means and variances do not depend on a sample.
    found = [
        model.posterior.parameters_of(model.features(x, model.condition(labels))) for x, labels in images.ordered(seed)
    ]
    mean, log_var = (torch.cat([each.cpu() for each in half]) for half in zip(*found, strict=True))
    return mean, log_var


def aggregate_posterior(model: Model, images: Batches, seed: int) -> Aggregate:
    """The aggregate posterior of a split, for a model of which `why_no_aggregate` is empty."""
    gaussians = AggregatePosterior(*posteriors(model, images, seed))
    flow = model.posterior.shared_flow
    return gaussians if flow is None else _ThroughFlow(gaussians, copy.deepcopy(flow).cpu().double())


@dataclass(frozen=True)
class _ThroughFlow:
    """An aggregate posterior sent through the flow that all of its images share.

    It works in 64 bits, on the CPU: a flow may shrink a direction by a factor of a million, which 32 bits cannot invert.
    """

    base: AggregatePosterior
    flow: Flow

    @torch.inference_mode()
    def log_prob(self, z: Tensor) -> Tensor:
        z = z.cpu().double()
        z0 = self.flow.inverse(z)
        again, log_det = self.flow(z0)
        missed = (again - z).abs().amax(1) > MOST_MISSED * (1 + z.abs().amax(1))
        return (self.base.log_prob(z0) - log_det).masked_fill(missed, torch.nan)

    @torch.inference_mode()
    def sample(self, count: int, generator: torch.Generator) -> Sample:
        drawn = self.base.sample(count, generator)
        z, log_det = self.flow(drawn.z.double())
        return Sample(z.float(), drawn.log_q - log_det, drawn.rows)
