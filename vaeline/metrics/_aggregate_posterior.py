"""The aggregate posterior q(z) = 1/N sum_n q(z|x_n) of N images (Makhzani et al., 2016), a mixture of N Gaussians."""

from functools import reduce
from math import log
from typing import NamedTuple

import torch
from torch import Generator, Tensor

from vaeline.metrics._gaussian import LOG_TWO_PI, log_prob_each_dimension

BLOCK = 512  # samples, and posteriors, whose densities are in memory at a time: 2 MiB, which stays near the processor
LEAST_EXPONENT = -700.0  # exponentials that underflow take thirty times as long and change no sum


class Sample(NamedTuple):
    """Draws from the aggregate posterior, on the CPU."""

    z: Tensor  # (count, latent), of the type of the posteriors' means
    log_q: Tensor  # log q(z|x_n) under the posterior that z was drawn from: nats, (count,), float64
    rows: Tensor  # n of each, (count,)


class AggregatePosterior:
    """The equal mixture of the diagonal Gaussian posteriors of N images.

    Args:
        mean: of each posterior, (N, latent).
        log_var: logarithms of their variances, the same shape.

    Raises:
        ValueError: mean and log_var differ in shape, or have no image.
    """

    def __init__(self, mean: Tensor, log_var: Tensor) -> None:
        if mean.dim() != 2 or mean.shape != log_var.shape or not len(mean):
            shapes = f"{tuple(mean.shape)} and {tuple(log_var.shape)}"
            raise ValueError(f"mean and log_var have shapes {shapes}; give both as (images, latent), 1 image or more")
        self._type = mean.dtype
        self._mean, self._log_var = mean.cpu().double(), log_var.cpu().double()
        precision = (-self._log_var).exp()
        self._coefficients = torch.cat([-0.5 * precision, precision * self._mean], 1)  # of z^2 and z, (N, 2 latent)
        self._constant = -0.5 * (self._mean.square() * precision + self._log_var + LOG_TWO_PI).sum(1)  # (N,)

    @torch.no_grad()
    def log_prob(self, z: Tensor) -> Tensor:
        """Log-density of each row of z, with at most BLOCK^2 densities of a row under a posterior in memory at a time.

        The squares are expanded into a product of matrices, which costs a density about 1e-16 z^2 / variance nats to
        rounding; in float32 it would be 1e-7 z^2 / variance.

        Args:
            z: (n, latent).

        Returns:
            Nats, (n,), float64, on the CPU.
        """
        return torch.cat([self._log_prob_of_block(rows) for rows in z.cpu().double().split(BLOCK)])

    def sample(self, count: int, generator: Generator) -> Sample:
        """Draw n uniformly, then z ~ q(z|x_n), `count` times; the generator is one of the CPU."""
        rows = torch.randint(len(self._mean), (count,), generator=generator)
        mean, log_var = self._mean[rows], self._log_var[rows]
        noise = torch.randn(mean.shape, dtype=torch.float64, generator=generator)
        z = (mean + (0.5 * log_var).exp() * noise).to(self._type)
        return Sample(z, log_prob_each_dimension(z, mean, log_var).sum(1), rows)  # of z as it was rounded

    def _log_prob_of_block(self, z: Tensor) -> Tensor:
        powers = torch.cat([z.square(), z], 1)
        posteriors = zip(self._constant.split(BLOCK), self._coefficients.split(BLOCK), strict=True)
        sums = (_log_sum(torch.addmm(constant, powers, each.T)) for constant, each in posteriors)
        return reduce(torch.logaddexp, sums) - log(len(self._mean))


def _log_sum(exponents: Tensor) -> Tensor:
    """log sum exp of each row, (n, posteriors), which is overwritten: (n,)."""
    greatest = exponents.amax(1, keepdim=True)
    return exponents.sub_(greatest).clamp_min_(LEAST_EXPONENT).exp_().sum(1).log_() + greatest.squeeze(1)
