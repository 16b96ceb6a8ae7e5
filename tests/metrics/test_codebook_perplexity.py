"""Codebook perplexity at its extremes."""

import pytest
import torch

from vaeline.metrics.codebook_perplexity import codebook_perplexity


@pytest.mark.parametrize(
    ("codes", "expected"), [([3, 3, 3, 3], 1), ([0, 1, 2, 3], 4), ([0, 0, 1, 1], 2), ([0, 0, 0, 1], 1.7548)]
)
def test_it_counts_the_codebook_entries_in_use(codes: list[int], expected: float) -> None:
    assert codebook_perplexity(torch.tensor(codes).view(2, 2), 8) == pytest.approx(expected, abs=1e-4)
