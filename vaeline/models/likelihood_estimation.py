"""Estimates of log p(x) under a model, by importance sampling from its posterior."""

from collections.abc import Sequence

import torch
from torch import Tensor

from vaeline.data.facts import Facts
from vaeline.models.contracts import Likelihood
from vaeline.models.importance_sampling import LogLikelihood, concatenate, log_likelihood, marginal
from vaeline.models.model import Model

# Decoded pixels in memory at a time: on the CPU as many as fit its cache, on others enough to keep the device busy.
HELD_PIXELS = {"cpu": 2**19, "cuda": 2**23, "mps": 2**23}


NO_DENSITY = "q(z|x) is a point without a density"


def why_no_likelihood(model: Model) -> str:
    """Why importance sampling has no meaning for the model; empty if it has one."""
    reasons = {"point": NO_DENSITY, "discrete": "indices are certain: see negative_elbo"}
    return reasons.get(model.posterior.kind, "")


@torch.inference_mode()
def estimate(
    model: Model,
    likelihoods: Sequence[Likelihood],
    x: Tensor,
    labels: Tensor,
    samples: int,
    log_prior: Tensor | None = None,
) -> dict[str, LogLikelihood]:
    """Estimate the likelihoods of a batch by importance sampling from the posterior of a model.

    Args:
        model: in evaluation mode, whose posterior has a density.
        likelihoods: each a p(x|z), estimated from the same samples.
        x: images in the range of the networks, (b, channel, height, width).
        labels: of the images, (b, columns).
        samples: of the posterior for each image, at least 10.
        log_prior: log p(y) of each class, to sum over the classes; None if labels are not classes.

    Returns:
        `nll`, log p(x), for a model without labels or with a log_prior, and `nll_given_label`, log p(x|y), for a model with labels:
        (likelihoods, b) each.
    """
    # Split so that one sample of each image fits the memory.
    count = max(1, HELD_PIXELS[x.device.type] // x[0].numel())
    parts = [
        _likelihoods(model, likelihoods, some, of_some, samples, log_prior)
        for some, of_some in zip(x.split(count), labels.split(count), strict=True)
    ]
    return {metric: concatenate([part[metric] for part in parts]) for metric in parts[0]}


def _likelihoods(
    model: Model,
    likelihoods: Sequence[Likelihood],
    x: Tensor,
    labels: Tensor,
    samples: int,
    log_prior: Tensor | None,
) -> dict[str, LogLikelihood]:
    if not model.conditional:
        return {"nll": _given(model, likelihoods, x, labels, samples)}
    if log_prior is None:
        return {"nll_given_label": _given(model, likelihoods, x, labels, samples)}
    each = [_given(model, likelihoods, x, torch.full_like(labels, label), samples) for label in range(len(log_prior))]
    own = labels.cpu().squeeze(1).expand(1, len(likelihoods), -1)  # (1, likelihoods, images)
    true = LogLikelihood(*(torch.stack(field).gather(0, own).squeeze(0) for field in zip(*each, strict=True)))
    return {"nll_given_label": true, "nll": marginal(each, log_prior)}


def _given(model: Model, likelihoods: Sequence[Likelihood], x: Tensor, labels: Tensor, samples: int) -> LogLikelihood:
    """Importance sampling of log p(x|y) under each likelihood, from q(z|x, y): (likelihoods, images)."""
    features = model.features(x, labels)
    block = min(samples, max(1, HELD_PIXELS[x.device.type] // x.numel()))
    many_x, many_labels = x.repeat(block, *[1] * (x.dim() - 1)), labels.repeat(block, 1)  # (block * images, ...)
    condition = model.condition(labels)

    def draw(count: int) -> tuple[Tensor, Tensor]:
        latent = model.posterior(features.repeat(count, 1))
        assert latent.log_q is not None
        return latent.z, latent.log_q

    def log_joint(z: Tensor) -> Tensor:
        h = model.decoder_output(z, many_labels[: len(z)])
        log_prior = model.latent_density.log_prob(z, condition)
        return torch.stack([each.log_prob(many_x[: len(z)], h) for each in likelihoods]) + log_prior

    return log_likelihood(draw, log_joint, samples, block)


def log_frequencies(labels: Tensor, facts: Facts) -> Tensor:
    """log p(y) of each class, its frequency in the training split, (classes,)."""
    counts = torch.bincount(labels.cpu().squeeze(1), minlength=facts.label_cardinalities[0])
    return (counts.double() / len(labels)).log()
