"""Models whose likelihood is known, and means of weights."""

from math import log, sqrt
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor
from torch.distributions import MultivariateNormal

from vaeline.models.estimators.joint_density import JointDensity
from vaeline.models.likelihoods._gaussian import IsotropicGaussian
from vaeline.models.output_range import OutputRange
from vaeline.models.priors.standard import Standard

PIXELS, IMAGES = 12, 20
IDENTITY = OutputRange(SimpleNamespace(pixels="points", range=(0, 1)))  # type: ignore[arg-type]


class Decoder:
    """What a density asks of a model: a decoder without labels and a prior."""

    def __init__(self, decode: Any, latent_density: Any) -> None:
        self.decode, self.latent_density = decode, latent_density

    def decoder_output(self, z: Tensor, condition: Tensor | None) -> Tensor:
        return self.decode(z)

    def condition(self, labels: Tensor) -> None:
        return None


def sigma_likelihood(sigma: float) -> IsotropicGaussian:
    return IsotropicGaussian(IDENTITY, sigma=sigma)


def density(decode: Any, x: Tensor, likelihood: Any, prior: Any) -> JointDensity:
    return JointDensity(Decoder(decode, prior), likelihood, x, torch.zeros(len(x), 1, dtype=torch.long))  # type: ignore[arg-type]


class LinearGaussian:
    """z ~ N(0, I), x ~ N(W z, sigma^2 I)."""

    def __init__(self, latent: int, sigma: float = 0.3) -> None:
        torch.manual_seed(latent)
        self.weight, self.sigma, self.latent = torch.randn(PIXELS, latent), sigma, latent
        self.z = torch.randn(IMAGES, latent)
        self.x = self.z @ self.weight.T + sigma * torch.randn(IMAGES, PIXELS)
        self.density = density(lambda z: z @ self.weight.T, self.x, sigma_likelihood(sigma), Standard(latent))
        self.precision = torch.eye(latent) + self.weight.T @ self.weight / sigma**2
        self.mean = torch.linalg.solve(self.precision, self.weight.T @ self.x.T / sigma**2).T
        covariance = self.weight @ self.weight.T + sigma**2 * torch.eye(PIXELS)
        self.log_prob = MultivariateNormal(torch.zeros(PIXELS).double(), covariance.double()).log_prob(self.x.double())


def mean_of(log_weights: Tensor) -> Tensor:
    return log_weights.logsumexp(0) - log(len(log_weights))


def errors_of(log_weights: Tensor) -> Tensor:
    """Standard errors of the logarithm of the mean of the weights."""
    weights = (log_weights - log_weights.amax(0)).exp()
    return weights.std(0) / weights.mean(0) / sqrt(len(weights))
