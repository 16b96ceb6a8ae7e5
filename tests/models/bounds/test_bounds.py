"""Every training bound found on disk, on a model with a known likelihood."""

from math import log
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.distributions import MultivariateNormal

from tests.conftest import every
from vaeline.models import gaussian
from vaeline.models.contracts import Bound, Context, Likelihood
from vaeline.models.latent import Latent
from vaeline.models.posteriors.gaussian import Gaussian
from vaeline.models.priors.standard import Standard
from vaeline.models.regularizers.kl import WeightedRate
from vaeline.study import parts
from vaeline.system.errors import UserError


class Quarter(Likelihood):
    """N(h, I / 4)."""

    def mean(self, h: Tensor) -> Tensor:
        return h

    def log_prob(self, x: Tensor, h: Tensor) -> Tensor:
        return gaussian.log_prob(x, h, torch.tensor(0.25).log())

    def curvature(self, x: Tensor, h: Tensor) -> Tensor:
        return torch.full_like(h, 4.0)

    def sample(self, h: Tensor) -> Tensor:
        return h + torch.randn_like(h) / 2


class LinearGaussian:
    """z ~ N(0, I), x ~ N(Wz, I / 4); q is the posterior, its variance `inflation` times as large."""

    likelihood: Likelihood

    def __init__(self, inflation: float) -> None:
        orthonormal, _ = torch.linalg.qr(torch.randn(4, 2, generator=torch.Generator().manual_seed(1)))
        self.weight = orthonormal * torch.tensor([0.8, 0.4])
        self.inflation, self.prior, self.posterior = inflation, Standard(2), Gaussian(2, squashed=False)
        self.regularizer, self.likelihood = WeightedRate(1.0, 0), Quarter()
        self.asked = 0  # how often for the condition

    def condition(self, labels: Tensor) -> None:
        self.asked += 1

    def features(self, x: Tensor, condition: Tensor | None) -> Tensor:
        precision = torch.eye(2) + self.weight.T @ self.weight / 0.25
        mean = x @ self.weight @ torch.linalg.inv(precision) / 0.25
        return torch.cat([mean, (self.inflation / precision.diagonal()).log().expand(len(x), -1)], 1)

    def encode(self, x: Tensor, condition: Tensor | None) -> Latent:
        return self.posterior(self.features(x, condition))

    def decoder_output(self, z: Tensor, condition: Tensor | None) -> Tensor:
        return z @ self.weight.T

    def nll(self, x: Tensor) -> Tensor:
        return -MultivariateNormal(torch.zeros(4), self.weight @ self.weight.T + torch.eye(4) / 4).log_prob(x)


X, LABELS = torch.randn(6, 4, generator=torch.Generator().manual_seed(2)), torch.zeros(6, 1, dtype=torch.long)


def build(name: str, context: Context, **options: Any) -> Any:
    return parts.build(Bound, parts.validate("bounds", {"name": name, **options}), context)


@every("bounds")
def test_with_the_exact_posterior_the_bound_is_the_likelihood(name: str, context: Context) -> None:
    model, many = LinearGaussian(1.0), X.repeat(4000, 1)
    terms, logged, _ = build(name, context)(model, many, LABELS.repeat(4000, 1), None)
    bound = torch.stack(list(terms.values())).sum(0).unflatten(0, (4000, 6)).mean(0)
    torch.testing.assert_close(bound, model.nll(X), atol=0.1, rtol=0)
    assert {"distortion", "rate"} <= {*terms, *logged} and model.asked == 1


def test_importance_weights_tighten_the_bound_towards_the_likelihood(context: Context) -> None:
    """By how much is known: with K samples the gap is that of -log of a mean of K weights, which falls in K."""
    model, many, labels = LinearGaussian(3.0), X.repeat(4000, 1), LABELS.repeat(4000, 1)
    gaps = []
    for samples in (1, 5, 50):
        terms = build("importance_weighted", context, samples=samples)(model, many, labels, None).terms
        gaps.append(float(terms["importance_weighted_bound"].mean() - model.nll(X).mean()))
    assert gaps[0] > 3 * gaps[1] > 9 * gaps[2] > -0.05
    assert gaps[2] < 0.05


def test_with_one_sample_the_importance_weighted_bound_is_the_elbo(context: Context) -> None:
    model = LinearGaussian(2.0)
    torch.manual_seed(1)
    terms, logged, _ = build("importance_weighted", context, samples=1)(model, X, LABELS, None)
    torch.testing.assert_close(terms["importance_weighted_bound"], logged["distortion"] + logged["rate"])


def test_the_bound_is_the_log_of_the_mean_weight(context: Context) -> None:
    model = LinearGaussian(2.0)
    torch.manual_seed(1)
    terms, logged, _ = build("importance_weighted", context, samples=3)(model, X, LABELS, None)
    log_weights = -(logged["distortion"] + logged["rate"]).view(3, 6)
    torch.testing.assert_close(terms["importance_weighted_bound"], -(log_weights.logsumexp(0) - log(3)))


def test_every_image_keeps_its_own_samples(context: Context) -> None:
    """Weights shared between images would give all of them one bound."""
    model, far = LinearGaussian(1.0), torch.cat([X[:3], 20 + X[3:]])
    terms = build("importance_weighted", context, samples=10)(model, far, LABELS, None).terms
    torch.testing.assert_close(terms["importance_weighted_bound"], model.nll(far), rtol=0.02, atol=0.1)


def test_posteriors_without_a_density_are_refused() -> None:
    with pytest.raises(UserError, match="take posterior gaussian, flow or ladder"):
        build("importance_weighted", Context((1, 8, 8), (2,), 0, 0, 0, 100, posterior="point"))
