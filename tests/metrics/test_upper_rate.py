"""The rate of levels from that of dimensions."""

import pytest
import torch

from vaeline.metrics.upper_rate import rates_of_levels, upper_rate


def test_the_levels_rates_sum_to_the_rate() -> None:
    by_level = rates_of_levels(torch.tensor([1.0, 2.0, 4.0, 8.0, 16.0]), [2, 2, 1])
    assert by_level == [3, 12, 16]
    assert upper_rate(by_level) == 28


@pytest.mark.parametrize("sizes", [[1, 4], [3, 2]])
def test_unused_upper_levels_have_no_rate(sizes: list[int]) -> None:
    rates = torch.zeros(5)
    rates[0] = 7
    assert upper_rate(rates_of_levels(rates, sizes)) == 0
