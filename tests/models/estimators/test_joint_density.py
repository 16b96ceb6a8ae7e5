"""The derivatives of log p(x, z)."""

import torch

from tests.models.estimators.known_models import (
    PIXELS,
    density,
    sigma_likelihood,
)
from vaeline.models.priors.mixture import Mixture


def test_curvature_of_any_prior_counts() -> None:
    """At a point that the decoder ignores, the curvature is the prior's, which automatic differentiation gives."""
    torch.manual_seed(0)
    prior = Mixture(3, 2)
    model = density(lambda z: 0 * z @ torch.ones(2, PIXELS), torch.zeros(1, PIXELS), sigma_likelihood(1.0), prior)
    z = torch.tensor([[0.3, -0.2]])
    hessian = torch.autograd.functional.hessian(lambda each: prior.log_prob(each, None).sum(), z)
    with torch.no_grad():
        curvature = model.curvature(z)
    torch.testing.assert_close(curvature[0], -hessian[0, :, 0])
