"""Estimates of log p(x|y) of every image under the labels that count, around the modes of p(z|x, y)."""

from collections.abc import Callable

import torch
from torch import Tensor

from vaeline.models.contracts import Likelihood
from vaeline.models.estimators import laplace
from vaeline.models.estimators.bridge import Bridged, bridge
from vaeline.models.estimators.joint_density import JointDensity
from vaeline.models.estimators.log_likelihood import NEGLIGIBLE, LogLikelihood, concatenate
from vaeline.models.model import Model


@torch.no_grad()
def around_modes(
    model: Model, likelihood: Likelihood, x: Tensor, labels: Tensor, samples: int, log_prior: Tensor | None = None
) -> LogLikelihood:
    """Estimate log p(x|y) of a batch, for the labels of the images, or for every class.

    The label of an image is always sampled. Laplace's approximation tells how probable each other class is. A class that moves log p(x)
    by less than its tolerance keeps the approximation, the others are sampled too.

    Args:
        model: in evaluation mode, whose posterior has a density and whose latents are vectors.
        likelihood: p(x|z).
        x: images in the range of the networks, (b, ...).
        labels: of the images, (b, columns).
        samples: of the proposal for each image and label.
        log_prior: log p(y) of each class, (classes,), on the CPU; None for the given labels alone.

    Returns:
        (classes, b), or (1, b) without a log_prior.
    """
    density = JointDensity(model, likelihood, x, labels)

    def sampled(some: JointDensity) -> LogLikelihood:
        return concatenate(
            [laplace.importance_sampled(each, laplace.proposal_of(each), samples) for each in some.parts()]
        )

    if log_prior is None:
        return LogLikelihood(*(field.unsqueeze(0) for field in sampled(density)))
    own = labels.cpu().squeeze(1)
    found = LogLikelihood.known(torch.zeros(len(log_prior), len(x), dtype=torch.float64))
    found.put((own, torch.arange(len(x))), sampled(density))
    others = torch.ones(len(log_prior), len(x), dtype=torch.bool)
    others[own, torch.arange(len(x))] = False
    _put_pairs(found, density, others, lambda some: LogLikelihood.known(_approximate(some)))
    _put_pairs(found, density, others & that_count(found.log_prob, log_prior), sampled)
    return found


@torch.no_grad()
def annealed(
    model: Model,
    likelihood: Likelihood,
    x: Tensor,
    labels: Tensor,
    given: LogLikelihood,
    log_prior: Tensor | None = None,
) -> Bridged:
    """Replace the estimates of `around_modes` by annealed ones, for the labels of the images and for the classes that count.

    Args:
        model: in evaluation mode, whose posterior has a density and whose latents are vectors.
        likelihood: p(x|z).
        x: images in the range of the networks, (b, ...).
        labels: of the images, (b, columns).
        given: what `around_modes` found for these images, (classes or 1, b).
        log_prior: log p(y) of each class, (classes,), on the CPU; None for the given labels alone.

    Returns:
        `given` with the annealed estimates in place, and the evaluations of the decoder that they took.
    """
    density, spent = JointDensity(model, likelihood, x, labels), []
    found = LogLikelihood(*(field.clone() for field in given))

    def bridged(some: JointDensity) -> LogLikelihood:
        parts = [bridge(each) for each in some.parts()]
        spent.append(sum(part.evaluations for part in parts))
        return concatenate([part.likelihood for part in parts])

    if log_prior is None:
        found.put((torch.tensor(0), slice(None)), bridged(density))
    else:
        counts = that_count(given.log_prob, log_prior)
        counts[labels.cpu().squeeze(1), torch.arange(len(x))] = True
        _put_pairs(found, density, counts, bridged)
    return Bridged(found, sum(spent))


def that_count(log_prob: Tensor, log_prior: Tensor) -> Tensor:
    """The labels of each image that move log p(x), from log p(x|y): (labels, images), bool."""
    return (log_prior.unsqueeze(1) + log_prob).softmax(0) > NEGLIGIBLE


def _put_pairs(
    found: LogLikelihood, density: JointDensity, pairs: Tensor, estimate: Callable[[JointDensity], LogLikelihood]
) -> None:
    """Estimate some images under some classes, (classes, images), bool, all together."""
    classes, images = pairs.nonzero(as_tuple=True)
    if len(images):
        some = density.of(images.to(density.x.device))
        found.put((classes, images), estimate(some.given(classes.unsqueeze(1).to(density.labels))))


def _approximate(density: JointDensity) -> Tensor:
    # The encoder never saw these labels with these images, so that its centre may be far from any mode.
    parts = density.parts()
    return torch.cat([laplace.approximate(each, [each.centre(), *laplace.restarts(each, 1)]).cpu() for each in parts])
