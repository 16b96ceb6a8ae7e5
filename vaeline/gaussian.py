"""The Gaussian's density and divergence, shared by posteriors, priors and likelihoods."""

from math import log, pi

import torch
from torch import Tensor, nn

LOG_TWO_PI = log(2 * pi)
LEAST_VARIANCE = 1e-8  # a perfect reconstruction would otherwise have an unbounded density


def log_prob(x: Tensor, mean: Tensor, log_var: Tensor) -> Tensor:
    """Log-density of each row of x, (b, ...), under independent Gaussians: nats, (b,)."""
    terms = (x - mean).square() * (-log_var).exp() + log_var + LOG_TWO_PI
    return -0.5 * terms.flatten(1).sum(1)


def kl(mean: Tensor, log_var: Tensor, other_mean: Tensor, other_log_var: Tensor) -> Tensor:
    """KL between two diagonal Gaussians (Kingma and Welling, 2014, appendix B): nats, (b,)."""
    scaled = ((mean - other_mean).square() + log_var.exp()) * (-other_log_var).exp()
    return 0.5 * (scaled + other_log_var - log_var - 1).sum(1)


class IsotropicGaussian(nn.Module):
    """p(x|z) = N(mean, sigma^2 I), sigma a saved buffer.

    Args:
        fixed: whether sigma is a constant of the model, rather than fitted in its training.
    """

    sigma: Tensor

    def __init__(self, fixed: bool) -> None:
        super().__init__()
        self.fixed = fixed
        self.register_buffer("sigma", torch.ones(()))

    def log_prob(self, x: Tensor, mean: Tensor) -> Tensor:
        """Log-density of each image, (b, channel, height, width): nats, summed over pixels, (b,)."""
        return log_prob(x, mean, 2 * self.sigma.log())

    def calibrate(self, mean_squared_error: float) -> None:
        """Set sigma from the mean squared error, for each pixel, of the training split under the posterior."""
        self.sigma.fill_(max(mean_squared_error, LEAST_VARIANCE) ** 0.5)
