"""Latents on a plane."""

import numpy as np

from vaeline.report.plots.shared.latent_plane import plane_of


def test_two_dimensions_are_drawn_as_they_are() -> None:
    z = np.array([[1.0, 2.0], [3.0, -4.0]])
    assert np.array_equal(plane_of(z)(z), z)


def test_one_dimension_is_drawn_on_a_line() -> None:
    z = np.array([[1.0], [3.0]])
    assert np.array_equal(plane_of(z)(z), [[1, 0], [3, 0]])


def test_of_many_dimensions_the_most_varied_are_plotted() -> None:
    z = np.random.default_rng(0).standard_normal((500, 4)) * [0.1, 5, 0.1, 2]
    flat = plane_of(z)(z)
    assert np.allclose(np.abs(np.corrcoef(flat.T, z[:, [1, 3]].T)[[0, 1], [2, 3]]), 1, atol=0.01)
