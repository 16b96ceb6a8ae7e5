"""Estimates of log p(x) of a model by importance sampling from its posterior."""

from collections.abc import Sequence

import torch
from torch import Tensor

from vaeline.data.facts import Facts
from vaeline.models.contracts import Likelihood
from vaeline.models.importance_sampling import LogLikelihood, concatenate, log_likelihood, marginal
from vaeline.models.model import Model

# Decoded pixels that are held at a time: on the CPU what its cache likes, on others enough to keep them busy.
HELD_PIXELS = {"cpu": 2**19, "cuda": 2**23, "mps": 2**23}


def why_no_likelihood(model: Model) -> str:
    """What keeps importance sampling from the model; empty where nothing does."""
    return {"point": "q(z|x) is a point without a density", "codes": "codes are certain: see negative_elbo"}.get(
        model.posterior.kind, ""
    )


@torch.inference_mode()
def estimate(
    model: Model,
    likelihoods: Sequence[Likelihood],
    x: Tensor,
    labels: Tensor,
    samples: int,
    log_prior: Tensor | None = None,
) -> dict[str, LogLikelihood]:
    """Estimate the likelihoods of a batch that have a meaning for the model, by importance sampling from its posterior.

    Args:
        model: in evaluation mode, whose posterior has a density.
        likelihoods: p(x|z) to judge by the same samples.
        x: images in the range of the networks, (b, channel, height, width).
        labels: of the images, (b, columns).
        samples: of the posterior for each image, at least 10.
        log_prior: log p(y) of each class, to sum it out; None where labels are no classes, or are not to be summed out.

    Returns:
        `nll` (of a model without labels, or with the labels summed out) and `nll_given_label`, as far as there is each: log p(x)
        and log p(x|y), (likelihoods, b).
    """
    # In parts of which one sample each may be held at a time.
    count = max(1, HELD_PIXELS[x.device.type] // x[0].numel())
    parts = [
        _likelihoods(model, likelihoods, some, of_some, samples, log_prior)
        for some, of_some in zip(x.split(count), labels.split(count), strict=True)
    ]
    return {figure: concatenate([part[figure] for part in parts]) for figure in parts[0]}


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
        return latent.z, latent.log_q

    def log_joint(z: Tensor) -> Tensor:
        h = model.decoder_output(z, many_labels[: len(z)])
        log_prior = model.latent_density.log_prob(z, condition)
        return torch.stack([each.log_prob(many_x[: len(z)], h) for each in likelihoods]) + log_prior

    return log_likelihood(draw, log_joint, samples, block)


def log_frequencies(labels: Tensor, facts: Facts) -> Tensor:
    """log p(y) of each class, as often as it stands in the training split."""
    counts = torch.bincount(labels.cpu().squeeze(1), minlength=facts.label_cardinalities[0])
    return (counts.double() / len(labels)).log()
