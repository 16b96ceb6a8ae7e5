"""The aggregate posterior agrees with torch's mixtures and with a single Gaussian."""

from typing import Any

import pytest
import torch
from torch import Generator, Tensor
from torch.distributions import Categorical, Independent, MixtureSameFamily, Normal
from torch.overrides import TorchFunctionMode

from vaeline.metrics import _aggregate_posterior
from vaeline.metrics._aggregate_posterior import AggregatePosterior


def posteriors(images: int, latent: int, log_var: float, dtype: torch.dtype = torch.float32) -> tuple[Tensor, Tensor]:
    """Means of N(0, 9), and log-variances about a value, (images, latent) each."""
    generator = Generator().manual_seed(latent)
    mean = 3 * torch.randn(images, latent, generator=generator, dtype=dtype)
    return mean, log_var + 0.3 * torch.randn(images, latent, generator=generator, dtype=dtype)


def mixture(mean: Tensor, log_var: Tensor) -> MixtureSameFamily:
    components = Independent(Normal(mean.double(), (0.5 * log_var.double()).exp()), 1)
    return MixtureSameFamily(Categorical(torch.ones(len(mean)).double()), components)


class Largest(TorchFunctionMode):
    """Records the largest number of elements of any tensor."""

    elements = 0

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        if isinstance(result, Tensor):
            self.elements = max(self.elements, result.numel())
        return result


@pytest.mark.parametrize("latent", [1, 2, 64])
@pytest.mark.parametrize("variance", [1e-4, 1.0, 100.0])
def test_the_density_is_that_of_the_mixture(latent: int, variance: float) -> None:
    mean, log_var = posteriors(530, latent, torch.tensor(variance).log().item())
    aggregate = AggregatePosterior(mean, log_var)
    near = aggregate.sample(60, Generator().manual_seed(0)).z
    far = 5 * torch.randn(60, latent, generator=Generator().manual_seed(1))
    for z in (near, far):  # far from narrow posteriors a density is 1e6 nats low, with 1e-16 of that for an error
        torch.testing.assert_close(
            aggregate.log_prob(z), mixture(mean, log_var).log_prob(z.double()), atol=1e-6, rtol=1e-12
        )


def test_one_posterior_is_its_gaussian() -> None:
    aggregate = AggregatePosterior(torch.tensor([[1.0, -2.0]]), torch.tensor([[0.0, 4.0]]).log1p())
    z = torch.tensor([[1.0, -2.0], [3.0, 1.0]])
    expected = Normal(torch.tensor([1.0, -2.0]), torch.tensor([1.0, 5.0]).sqrt()).log_prob(z).sum(1)
    torch.testing.assert_close(aggregate.log_prob(z), expected.double(), atol=1e-6, rtol=0)


def test_equal_posteriors_act_as_one() -> None:
    mean, log_var = posteriors(1, 3, -1.0)
    z = torch.randn(20, 3, generator=Generator().manual_seed(0))
    many = AggregatePosterior(mean.expand(1_300, -1), log_var.expand(1_300, -1))
    torch.testing.assert_close(many.log_prob(z), AggregatePosterior(mean, log_var).log_prob(z), atol=1e-9, rtol=0)


def test_a_density_far_from_every_posterior_stays_finite() -> None:
    aggregate = AggregatePosterior(torch.zeros(600, 2), torch.full((600, 2), 1e-4).log())
    z = torch.full((1, 2), 100.0)
    torch.testing.assert_close(
        aggregate.log_prob(z), mixture(torch.zeros(1, 2), torch.full((1, 2), 1e-4).log()).log_prob(z.double())
    )


@pytest.mark.parametrize("block", [1, 7, 50, 10_000])
def test_blocks_do_not_change_the_density(monkeypatch: pytest.MonkeyPatch, block: int) -> None:
    mean, log_var = posteriors(103, 4, -2.0)
    aggregate = AggregatePosterior(mean, log_var)
    z = torch.randn(51, 4, generator=Generator().manual_seed(0))
    monkeypatch.setattr(_aggregate_posterior, "BLOCK", block)
    torch.testing.assert_close(
        aggregate.log_prob(z), mixture(mean, log_var).log_prob(z.double()), atol=1e-9, rtol=1e-12
    )


def test_memory_holds_one_block_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    mean, log_var = posteriors(2_000, 2, -2.0)
    aggregate = AggregatePosterior(mean, log_var)
    monkeypatch.setattr(_aggregate_posterior, "BLOCK", 50)
    with Largest() as largest:
        aggregate.log_prob(torch.zeros(1_000, 2))
    assert largest.elements == 50 * 50


def test_no_autograd_graph_is_kept() -> None:
    mean, log_var = posteriors(5, 2, 0.0)
    assert not AggregatePosterior(mean.requires_grad_(), log_var).log_prob(mean).requires_grad


def test_samples_have_the_moments_of_the_mixture() -> None:
    mean, log_var = posteriors(50, 3, 0.0)
    z, _, _ = AggregatePosterior(mean, log_var).sample(200_000, Generator().manual_seed(0))
    known = mixture(mean, log_var)
    assert z.shape == (200_000, 3)
    assert ((z.mean(0) - known.mean).abs() < 4 * (known.variance / len(z)).sqrt()).all()
    torch.testing.assert_close(z.double().var(0), known.variance, rtol=0.02, atol=0)


def test_a_sample_comes_with_the_density_of_its_own_posterior() -> None:
    mean, log_var = posteriors(40, 2, -14.0)  # so narrow that the nearest posterior is the own one
    z, log_q, _ = AggregatePosterior(mean, log_var).sample(300, Generator().manual_seed(0))
    own = torch.cdist(z, mean).argmin(1)
    known = Normal(mean[own].double(), (0.5 * log_var[own].double()).exp()).log_prob(z.double()).sum(1)
    torch.testing.assert_close(log_q, known, atol=1e-9, rtol=0)
    assert len(own.unique()) == 40


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_samples_keep_their_dtype_and_densities_are_float64(dtype: torch.dtype) -> None:
    aggregate = AggregatePosterior(*posteriors(4, 2, 0.0, dtype))
    z, log_q, _ = aggregate.sample(3, Generator().manual_seed(0))
    assert z.dtype is dtype
    assert (log_q.dtype, aggregate.log_prob(z).dtype) == (torch.float64, torch.float64)


def test_a_seed_repeats_its_samples() -> None:
    aggregate = AggregatePosterior(*posteriors(4, 2, 0.0))
    first, again, other = (aggregate.sample(5, Generator().manual_seed(seed)).z for seed in (0, 0, 1))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


@pytest.mark.parametrize(
    ("mean", "log_var"), [((3, 2), (3, 1)), ((3, 2), (2,)), ((3,), (3,)), ((0, 2), (0, 2))], ids=str
)
def test_posteriors_of_unequal_shapes_are_refused(mean: tuple[int, ...], log_var: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"give both as \(images, latent\)"):
        AggregatePosterior(torch.zeros(mean), torch.zeros(log_var))
