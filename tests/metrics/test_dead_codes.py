"""The share of dead codes at its extremes."""

import pytest
import torch

from vaeline.metrics.dead_codes import dead_codes


@pytest.mark.parametrize(("codes", "expected"), [([3, 3, 3, 3], 7 / 8), ([0, 1, 2, 3], 0.5), (list(range(8)), 0)])
def test_it_counts_the_codes_that_do_not_occur(codes: list[int], expected: float) -> None:
    assert dead_codes(torch.tensor(codes).view(2, -1), 8) == pytest.approx(expected)
