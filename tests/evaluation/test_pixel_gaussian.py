"""Samples of the pixel Gaussian have the moments of the pixels."""

import numpy as np

from tests.evaluation.correlated_pixels import correlated
from vaeline.evaluation.pixel_gaussian import samples_of
from vaeline.metrics._moments import moments
from vaeline.metrics.frechet_distance import distance


def test_the_pixel_gaussian_has_the_mean_and_covariance_of_pixels() -> None:
    images = correlated(2_000, 0)
    samples = np.concatenate(list(samples_of(images, 20_000, 256, seed=1)))
    assert samples.shape == (20_000, 1, 2, 2)
    assert samples.dtype == np.uint8
    drawn, real = moments([samples.reshape(-1, 4)]), moments([images.reshape(-1, 4)])
    np.testing.assert_allclose(drawn.mean, real.mean, atol=0.3)
    np.testing.assert_allclose(drawn.covariance - np.eye(4) / 12, real.covariance, atol=4)
    assert distance(drawn, real) < 0.05


def test_the_pixel_gaussian_works_with_fewer_images_than_pixels() -> None:
    images = np.random.default_rng(0).integers(100, 140, (5, 1, 8, 8), dtype=np.uint8)
    samples = np.concatenate(list(samples_of(images, 700, 256, seed=1)))
    assert samples.shape == (700, 1, 8, 8)
    spectrum = np.linalg.eigvalsh(np.cov(samples.reshape(-1, 64), rowvar=False))[::-1]
    assert spectrum[3] > 100 * spectrum[4]  # five images span four directions; rounding adds 1/12


def test_the_pixel_gaussian_stays_within_the_levels() -> None:
    images = np.random.default_rng(0).choice(np.array([0, 16], np.uint8), (50, 1, 4, 4))
    samples = np.concatenate(list(samples_of(images, 100, 17, seed=1)))
    assert (samples.min(), samples.max()) == (0, 16)
