"""Bits per dimension of known densities."""

from math import log

import pytest

from vaeline.metrics.bits_per_dim import bits_per_dim


@pytest.mark.parametrize(("levels", "extent", "bits"), [(256, 1.0, 8.0), (256, 2.0, 8.0), (16, 2.0, 4.0)])
def test_the_uniform_density_costs_the_bits_of_its_levels(levels: int, extent: float, bits: float) -> None:
    dimensions = 3 * 8 * 8
    assert bits_per_dim(dimensions * log(extent), dimensions, levels, extent) == pytest.approx(bits)


def test_the_range_of_the_networks_does_not_matter() -> None:
    dimensions, nll = 64, 12.3
    doubled = nll + dimensions * log(2)
    assert bits_per_dim(doubled, dimensions, 17, 2.0) == pytest.approx(bits_per_dim(nll, dimensions, 17, 1.0))
