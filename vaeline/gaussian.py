"""The diagonal Gaussian's density and divergence, shared by posteriors, priors and likelihoods."""

from math import log, pi

from torch import Tensor

LOG_TWO_PI = log(2 * pi)


def log_prob(x: Tensor, mean: Tensor, log_var: Tensor) -> Tensor:
    """Log-density of each row of x, (b, ...), under independent Gaussians: nats, (b,)."""
    terms = (x - mean).square() * (-log_var).exp() + log_var + LOG_TWO_PI
    return -0.5 * terms.flatten(1).sum(1)


def kl_to_standard(mean: Tensor, log_var: Tensor) -> Tensor:
    """KL(N(mean, exp(log_var)) || N(0, I)): nats, (b,) (Kingma and Welling, 2014, appendix B)."""
    return 0.5 * (mean.square() + log_var.exp() - log_var - 1).sum(1)


def kl(mean: Tensor, log_var: Tensor, other_mean: Tensor, other_log_var: Tensor) -> Tensor:
    """KL between two diagonal Gaussians: nats, (b,)."""
    scaled = ((mean - other_mean).square() + log_var.exp()) * (-other_log_var).exp()
    return 0.5 * (scaled + other_log_var - log_var - 1).sum(1)
