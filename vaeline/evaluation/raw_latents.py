"""What latent metrics are made of: samples of aggregate posterior and prior with their densities, and posterior statistics.

All of this is kept (see `kept`), so this file imports no metric: an edit of a metric leaves it as it is.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import ceil, sqrt

import torch
from torch import Tensor

from vaeline.data.batches import Batches
from vaeline.metrics._covariance import covariances
from vaeline.models.aggregate_posterior import Aggregate, aggregate_posterior, why_no_aggregate
from vaeline.models.contracts import Prior
from vaeline.models.latent import SAMPLED, DiscreteLatent, FlowLatent, GaussianLatent, LadderLatent, Latent
from vaeline.models.model import Model
from vaeline.system.seeds import derive_seed
from vaeline.system.state_files import State

SAMPLES = 5000  # of aggregate posterior and of prior, as in dpVAEs
MOST_LABELS = 1000  # different rows of labels over which a conditional prior is averaged
LEAST_DRAWS = 10  # of a flow's z for each mean over draws
NOISE = 0.001  # of the covariance of two such means, a tenth of what makes a unit active
LOST_INVERSE = "the flow's inverse is lost to rounding"


@dataclass(frozen=True)
class Marginal:
    """p(z); for a conditional prior the mean of p(z|y) over the labels of the training split.

    Args:
        density: of z.
        conditions: one for each different row of labels; None if the density is not conditional.
        shares: of the training images that have each of these rows, float64.
        device: where the density computes.
    """

    density: Prior
    conditions: Tensor | None
    shares: Tensor
    device: torch.device

    def sample(self, count: int) -> Tensor:
        """Draw z, (count, latent), on the CPU."""
        if self.conditions is None:
            return self.density.sample(count, None).cpu()
        rows = torch.multinomial(self.shares, count, replacement=True)
        return self.density.sample(count, self.conditions[rows.to(self.conditions.device)]).cpu()

    def log_prob(self, z: Tensor) -> Tensor:
        """Log-density of z, (n, latent): nats, (n,), float64, on the CPU."""
        z = z.to(self.device)
        if self.conditions is None:
            return self.density.log_prob(z, None).cpu().double()
        given = [self.density.log_prob(z, each.expand(len(z), -1)).cpu().double() for each in self.conditions]
        return (torch.stack(given, 1) + self.shares.log()).logsumexp(1)


@torch.inference_mode()
def aggregate_samples(model: Model, train: Batches, seed: int) -> State:
    """Densities at samples of the aggregate posterior q of the training split and of the prior p.

    Args:
        model: in evaluation mode.
        train: training split.
        seed: of all draws, the noise that dequantizes the training images included.

    Returns:
        `log_q_given`: log q(z|x_n) at z ~ q under the posterior that z was drawn from; `log_q`, `log_p` at the same z;
        `log_q_of_prior`, `log_p_of_prior` at samples of p: nats, (samples,), float64. `why_no_aggregate`, `why_no_prior`
        say why densities are absent; empty if they are there.
    """
    if why := why_no_aggregate(model):
        return {"why_no_aggregate": why}
    aggregate = aggregate_posterior(model, train, derive_seed("aggregate posterior", seed))
    drawn = aggregate.sample(SAMPLES, torch.Generator().manual_seed(derive_seed("aggregate samples", seed)))
    log_q = aggregate.log_prob(drawn.z)
    if not log_q.isfinite().all():
        return {"why_no_aggregate": LOST_INVERSE}
    found = {"why_no_aggregate": "", "log_q_given": drawn.log_q, "log_q": log_q}
    return {**found, **_prior_samples(model, train, aggregate, drawn.z, seed)}


def _prior_samples(model: Model, train: Batches, aggregate: Aggregate, z: Tensor, seed: int) -> State:
    if why := _why_no_marginal(model, train):
        return {"why_no_prior": why}
    marginal = _marginal(model, train)
    torch.manual_seed(derive_seed("prior samples", seed))
    from_prior = marginal.sample(SAMPLES)
    found = {
        "log_p": marginal.log_prob(z),
        "log_p_of_prior": marginal.log_prob(from_prior),
        "log_q_of_prior": aggregate.log_prob(from_prior),
    }
    if not all(each.isfinite().all() for each in found.values()):
        return {"why_no_prior": f"p(z) is not finite at all of its own samples and those of q_agg, or {LOST_INVERSE}"}
    return {"why_no_prior": "", **found}


def _why_no_marginal(model: Model, train: Batches) -> str:
    """Why p(z) cannot be compared with the aggregate posterior; empty if it can."""
    if why := model.latent_density.samples_differ:
        return why
    if model.latent_density.conditional and len(train.labels.unique(dim=0)) > MOST_LABELS:
        return f"more than {MOST_LABELS} combinations of labels, over which p(z) cannot be averaged"
    return ""


def _marginal(model: Model, train: Batches) -> Marginal:
    device = train.labels.device
    if not model.latent_density.conditional:
        return Marginal(model.latent_density, None, torch.ones(1), device)
    rows, counts = train.labels.unique(dim=0, return_counts=True)
    shares = counts.cpu().double() / len(train.labels)
    return Marginal(model.latent_density, model.condition(rows), shares, device)


@torch.inference_mode()
def posterior_statistics(model: Model, test: Batches, noise: int, seed: int) -> State:
    """Statistics of the posteriors of test images: variances, rates, codebook indices, log-determinants.

    Args:
        model: in evaluation mode.
        test: test split.
        noise: seed of the noise that dequantizes the test images.
        seed: of all other draws.

    Returns:
        `variances`: of the posterior mean of each dimension over images, (latent,), with the `estimator` and its
        `draws`; `rates`: of each dimension, (latent,), nats; `levels`: dimensions of each level of a ladder; `indices`: of a
        codebook; `log_det`: of a flow, (images,).
        Each is absent if the posterior has no such thing; `why_no_units` says why there are no variances.
    """
    torch.manual_seed(derive_seed("test posterior", seed))
    latents = [model.encode(x, model.condition(labels)) for x, labels in test.ordered(noise)]
    found: State = {"why_no_units": _why_no_units(model, test)}
    if not found["why_no_units"]:
        found |= _units(model, latents, test, noise) | _rates(model, latents, test)
    indices = [latent.indices for latent in latents if isinstance(latent, DiscreteLatent)]
    log_dets = [latent.log_det for latent in latents if isinstance(latent, FlowLatent)]
    found |= {"indices": torch.cat(indices).cpu()} if indices else {}
    return found | ({"log_det": torch.cat(log_dets).cpu()} if log_dets else {})


def _why_no_units(model: Model, test: Batches) -> str:
    if model.posterior.kind not in SAMPLED:
        return why_no_aggregate(model)
    return "" if len(test.images) > 1 else "one image has no variance"


def _rates(model: Model, latents: Sequence[Latent], test: Batches) -> State:
    """The rate of each dimension, a mean over images, and the dimensions of each level of a ladder."""
    labels = test.labels.split(test.batch_size)
    each = [
        model.latent_density.kl_each(latent, model.condition(of_latent))
        for latent, of_latent in zip(latents, labels, strict=True)
    ]
    rates = [rate for rate in each if rate is not None]
    found: State = {"rates": torch.cat(rates).mean(0).cpu()} if rates else {}
    levels = [latent.levels for latent in latents if isinstance(latent, LadderLatent)]
    return found | ({"levels": list(levels[0])} if levels else {})


def _units(model: Model, latents: Sequence[Latent], test: Batches, noise: int) -> State:
    if model.posterior.kind == "gaussian":
        means = torch.cat([latent.mean for latent in latents if isinstance(latent, GaussianLatent)])
        return {"variances": means.cpu().double().var(0), "estimator": "variance of posterior means over images"}
    # The covariance over images of two means of draws, which share no noise: without bias the variance of the means.
    images = len(test.images)
    first, second, _ = draws_of_means(model, test.ordered(noise), images)
    estimator = "covariance over images of two means of draws"
    return {"variances": covariances(first, second), "estimator": estimator, "draws": _draws(images)}


def draws_of_means(
    model: Model, batches: Iterable[tuple[Tensor, Tensor]], images: int
) -> tuple[Tensor, Tensor, Tensor]:
    """Two means of draws of each image's posterior, which share no noise, and the variance of its draws: (images, latent) each."""
    found: tuple[list[Tensor], list[Tensor], list[Tensor]] = ([], [], [])
    for x, labels in batches:
        features = model.features(x, model.condition(labels))
        halves = [torch.stack([model.posterior(features).z for _ in range(_draws(images))]) for _ in range(2)]
        for part, values in zip(found, (*(half.mean(0) for half in halves), halves[0].var(0)), strict=True):
            part.append(values)
    first, second, variances = map(torch.cat, found)
    return first, second, variances


def _draws(images: int) -> int:
    return max(LEAST_DRAWS, ceil(1 / (NOISE * sqrt(images))))
