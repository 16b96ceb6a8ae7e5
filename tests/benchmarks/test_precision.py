"""Densities, codebooks and kernels stay in fp32 under bf16 autocast, which rounds the networks."""

from typing import Any

import pytest
import torch

from vaeline.models.contracts import Context, Posterior, Prior
from vaeline.models.latent import GaussianLatent
from vaeline.models.regularizers.mmd import squared_discrepancy
from vaeline.study import parts


@pytest.fixture
def context() -> Context:
    return Context((1, 8, 8), (16,), 0, 0, 0, 100, encode=encode)


def encode(x: torch.Tensor) -> GaussianLatent:
    mean = x.flatten(1)[:, :16]
    return GaussianLatent(mean, mean, torch.full_like(mean, -4.0))


def build(contract: Any, context: Context, **options: Any) -> Any:
    return parts.build(contract, parts.validate(contract.family, options), context)


def autocast() -> torch.autocast:
    return torch.autocast("cpu", torch.bfloat16)


def test_autocast_rounds_matrix_products() -> None:
    a = torch.randn(8, 8)
    with autocast():
        assert not torch.equal(a @ a, (a.double() @ a.double()).float())


@pytest.mark.parametrize("name", ["mixture", "vamp"])
def test_mixture_densities_are_not_rounded(name: str, context: Context) -> None:
    prior = build(Prior, context, name=name)
    with torch.no_grad():
        for parameter in prior.parameters():
            parameter.copy_(torch.randn_like(parameter) - (4 if parameter.dim() == 2 and name == "mixture" else 0))
    z = torch.randn(20, 16)
    exact = prior.log_prob(z, None)
    with autocast():
        torch.testing.assert_close(prior.log_prob(z, None), exact)


def test_nearest_codebook_entries_are_not_rounded(context: Context) -> None:
    posterior = build(Posterior, context, name="vector_quantized", codes=300).eval()
    features = torch.randn(50, 16, 4, 4)
    exact = posterior(features).indices
    with autocast():
        assert torch.equal(posterior(features).indices, exact)


def test_the_maximum_mean_discrepancy_is_not_rounded() -> None:
    a, b = torch.randn(100, 16), torch.randn(100, 16) + 0.1
    exact = squared_discrepancy(a, b, 16.0)
    with autocast():
        torch.testing.assert_close(squared_discrepancy(a, b, 16.0), exact)
