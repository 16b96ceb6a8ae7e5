"""Importance sampling of log p(x) from the posterior q(z|x) of a model (Burda et al., 2016).

Its weights are often carried by a few samples, and the estimate is then only a lower bound. It serves to compare with figures that
were made this way.
"""

import torch
from torch import Tensor

from vaeline.models.contracts import Likelihood
from vaeline.models.estimators.joint_density import HELD_PIXELS, JointDensity
from vaeline.models.estimators.log_likelihood import LogLikelihood, concatenate
from vaeline.models.model import Model

HELD_WEIGHTS = 2**22  # in memory at a time


@torch.no_grad()
def from_posterior(model: Model, likelihood: Likelihood, x: Tensor, labels: Tensor, samples: int) -> LogLikelihood:
    """Estimate log p(x|y) of a batch, (b,), or log p(x) for a model without labels.

    Args:
        model: in evaluation mode, whose posterior has a density.
        likelihood: p(x|z).
        x: images in the range of the networks, (b, ...).
        labels: of the images, (b, columns).
        samples: of the posterior for each image, at least 10.
    """
    outputs = JointDensity(model, likelihood, x, labels).outputs
    count = max(1, min(HELD_PIXELS[x.device.type] // outputs, HELD_WEIGHTS // samples))
    parts = zip(x.split(count), labels.split(count), strict=True)
    return concatenate([_estimate(JointDensity(model, likelihood, *part), samples) for part in parts])


def _estimate(density: JointDensity, samples: int) -> LogLikelihood:
    features = density.model.features(density.x, density.condition)
    weights = []
    for start in range(0, samples, density.block):
        latent = density.model.posterior(density.repeated(features, min(density.block, samples - start)))
        assert latent.log_q is not None
        z, log_q = (each.unflatten(0, (-1, len(density))) for each in (latent.z, latent.log_q))
        weights.append(density.log_prob(z) - log_q.double())
    return LogLikelihood.of_weights(torch.cat(weights))
