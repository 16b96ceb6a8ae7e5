"""The Gaussian's density and divergence, shared by posteriors, priors and likelihoods."""

from math import log, pi

import torch
from torch import Tensor, nn

from vaeline.contracts import Context, Sigma
from vaeline.errors import UserError

LOG_TWO_PI = log(2 * pi)
LEAST_VARIANCE = 1e-8  # a perfect reconstruction would otherwise have an unbounded density


def log_prob(x: Tensor, mean: Tensor, log_var: Tensor) -> Tensor:
    """Log-density of each row of x, (b, ...), under independent Gaussians: nats, (b,)."""
    terms = (x - mean).square() * (-log_var).exp() + log_var + LOG_TWO_PI
    return -0.5 * terms.flatten(1).sum(1)


def log_prob_each(x: Tensor, mean: Tensor, log_var: Tensor) -> Tensor:
    """Log-density of each row of x, (b, d), under each of several Gaussians, (components, d): nats, (b, components).

    The square is expanded into matrix products, so that nothing of size b * components * d is ever held; x and the means
    are taken from the components' middle first, which keeps the products small against their difference.
    """
    with torch.autocast(x.device.type, enabled=False):  # 16 bits would be off by nats
        middle = mean.mean(0)
        x, mean, precision = x - middle, mean - middle, (-log_var).exp()
        constant = (mean.square() * precision + log_var + LOG_TWO_PI).sum(1)
        return -0.5 * (x.square() @ precision.t() - 2 * x @ (mean * precision).t() + constant)


def kl(mean: Tensor, log_var: Tensor, other_mean: Tensor, other_log_var: Tensor) -> Tensor:
    """KL between two diagonal Gaussians (Kingma and Welling, 2014, appendix B): nats, (b,)."""
    scaled = ((mean - other_mean).square() + log_var.exp()) * (-other_log_var).exp()
    return 0.5 * (scaled + other_log_var - log_var - 1).sum(1)


class Squash:
    """The decoder's output as a mean: through a sigmoid into the range of images; points as they are."""

    def __init__(self, context: Context) -> None:
        self.range = None if context.pixels == "points" else context.range

    def __call__(self, h: Tensor) -> Tensor:
        if self.range is None:
            return h
        low, high = self.range
        return low + (high - low) * h.sigmoid()


def require_density(context: Context, likelihood: str) -> None:
    """Refuse a likelihood whose variance may shrink for pixels that are whole levels: their density has no bound.

    Raises:
        UserError: says which pixels have a density.
    """
    if context.pixels not in ("dequantized", "points"):
        raise UserError(
            f"likelihood {likelihood} fits its variance, under which a density of {context.pixels} pixels has no bound; set "
            "dataset.pixels to dequantized, or take likelihood fixed_sigma or bernoulli."
        )


class IsotropicGaussian(nn.Module):
    """p(x|z) = N(mean, sigma^2 I), sigma a saved buffer.

    Args:
        squash: brings the decoder's output into the data's range.
        kind: where sigma comes from.
        sigma: standard deviation of a pixel, to begin with.
    """

    sigma: Tensor

    def __init__(self, squash: Squash, kind: Sigma = "constant", sigma: float = 1.0) -> None:
        super().__init__()
        self.mean = squash
        self.kind = kind
        self.register_buffer("sigma", torch.tensor(sigma))

    def log_prob(self, x: Tensor, h: Tensor) -> Tensor:
        """Log-density of each image, (b, channel, height, width): nats, summed over pixels, (b,)."""
        return log_prob(x, self.mean(h), 2 * self.sigma.log())

    def calibrate(self, mean_squared_error: float) -> None:
        """Set sigma from the mean squared error, for each pixel, of the training split under the posterior."""
        self.sigma.fill_(max(mean_squared_error, LEAST_VARIANCE) ** 0.5)
