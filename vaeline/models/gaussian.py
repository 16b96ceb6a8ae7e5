"""Density and divergence of Gaussians, shared by posteriors, priors and likelihoods."""

from math import log, pi

import torch
from torch import Tensor

from vaeline.system import ranks

LOG_TWO_PI = log(2 * pi)


def sample(mean: Tensor, log_var: Tensor) -> Tensor:
    """Draw from independent Gaussians, reparameterised: the shape of the mean."""
    return mean + (0.5 * log_var).exp() * ranks.randn_like(mean)


def log_prob_each_dimension(x: Tensor, mean: Tensor, log_var: Tensor) -> Tensor:
    """Log-density of each element under a Gaussian of its own: nats, the shape that the three broadcast to."""
    return -0.5 * ((x - mean).square() * (-log_var).exp() + log_var + LOG_TWO_PI)


def log_prob(x: Tensor, mean: Tensor, log_var: Tensor) -> Tensor:
    """Log-density of each row of x, (b, ...), under independent Gaussians: nats, (b,).

    Means and log-variances are of its shape or broadcast to it; a log-variance may be one number for all.
    """
    if log_var.dim() == 0:  # one variance for all: summing first halves the passes over x
        squares = (x - mean).square().flatten(1)
        return -0.5 * (squares.sum(1) * (-log_var).exp() + squares.shape[1] * (log_var + LOG_TWO_PI))
    return log_prob_each_dimension(x, mean, log_var).flatten(1).sum(1)


def log_prob_each(x: Tensor, mean: Tensor, log_var: Tensor) -> Tensor:
    """Log-density of each row of x, (b, d), under each of several Gaussians, (components, d): nats, (b, components).

    The square is expanded into matrix products, so that no tensor of size b * components * d is made. The mean of the means is
    subtracted from x and the means first, which keeps the products small. In 32 bits, the error is about 1e-7 times the largest
    (x - middle)^2 / variance, which makes likelihoods of narrow components too high. Where no gradient is asked for, it works in 64 bits.
    """
    dtype = x.dtype
    if not torch.is_grad_enabled() and x.device.type != "mps":  # which has no 64 bits
        x, mean, log_var = x.double(), mean.double(), log_var.double()
    with torch.autocast(x.device.type, enabled=False):  # the error in 16 bits is several nats
        middle = mean.mean(0)
        x, mean, precision = x - middle, mean - middle, (-log_var).exp()
        constant = (mean.square() * precision + log_var + LOG_TWO_PI).sum(1)
        return (-0.5 * (x.square() @ precision.t() - 2 * x @ (mean * precision).t() + constant)).to(dtype)


def kl_to_standard_each(mean: Tensor, log_var: Tensor) -> Tensor:
    """KL to N(0, I) in each dimension (Kingma and Welling, 2014, appendix B): nats, (b, d)."""
    return 0.5 * (mean.square() + log_var.exp() - log_var - 1)


def kl_each(mean: Tensor, log_var: Tensor, other_mean: Tensor, other_log_var: Tensor) -> Tensor:
    """KL between two Gaussians in each dimension: nats, (b, d)."""
    scaled = ((mean - other_mean).square() + log_var.exp()) * (-other_log_var).exp()
    return 0.5 * (scaled + other_log_var - log_var - 1)
