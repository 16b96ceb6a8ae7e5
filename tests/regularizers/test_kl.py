"""The weighted rate and its schedule."""

import pytest
import torch

from vaeline.contracts import Latent
from vaeline.regularizers.kl import WeightedRate

LATENT = Latent(torch.zeros(2, 2))
RATE = torch.tensor([2.0, 6.0])


@pytest.mark.parametrize(("step", "share"), [(0, 0.0), (5, 0.5), (10, 1.0), (99, 1.0), (None, 1.0)])
def test_the_weight_rises_linearly_and_ends_at_its_value(step: int | None, share: float) -> None:
    terms = WeightedRate(4.0, 10)(LATENT, RATE, None, None, step)
    torch.testing.assert_close(terms["kl"], 4 * share * RATE)


def test_without_warmup_the_first_step_has_the_whole_weight() -> None:
    torch.testing.assert_close(WeightedRate(1.0, 0)(LATENT, RATE, None, None, 0)["kl"], RATE)
