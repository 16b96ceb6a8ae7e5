"""The shape of the tail of weights, where it is known."""

import pytest
import torch

from vaeline.models.estimators import pareto_tail

SAMPLES, IMAGES = 4000, 50


@pytest.mark.parametrize("k", [0.2, 0.5, 0.7, 1.2])
def test_the_shape_of_pareto_weights_is_found(k: float) -> None:
    """Weights u^-k of a uniform u exceed any limit by a generalised Pareto distribution of shape k."""
    torch.manual_seed(0)
    log_weights = -k * torch.rand(SAMPLES, IMAGES, dtype=torch.float64).log()
    found = pareto_tail.shape(log_weights)
    count = 3 * SAMPLES**0.5  # weights in the tail, and ten that pull towards 0.5
    expected = (k * count + 5) / (count + 10)
    assert found.mean().item() == pytest.approx(expected, abs=0.05)
    assert found.std().item() < 2 * (1 + k) / count**0.5


def test_the_scale_of_the_weights_does_not_matter() -> None:
    torch.manual_seed(0)
    log_weights = torch.randn(200, 3).double()
    torch.testing.assert_close(pareto_tail.shape(log_weights - 2000), pareto_tail.shape(log_weights))


def test_equal_weights_have_no_tail_and_lost_ones_no_mean() -> None:
    lost = torch.full((200, 1), -torch.inf).double()
    lost[:4] = 0
    assert pareto_tail.shape(torch.zeros(200, 1).double()).item() == -torch.inf
    assert pareto_tail.shape(lost).item() == torch.inf
