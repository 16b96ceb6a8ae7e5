"""The Fréchet distance against closed forms."""

import warnings
from dataclasses import replace

import numpy as np
import pytest
from scipy.linalg import sqrtm

from vaeline.metrics._moments import Moments, moments
from vaeline.metrics.frechet_distance import FewImages, distance

MANY = 10**6


def wishart(dimensions: int, seed: int) -> np.ndarray:
    factor = np.random.default_rng(seed).standard_normal((dimensions, 3 * dimensions))
    return factor @ factor.T / (3 * dimensions)


def test_one_dimension_is_the_difference_of_means_and_deviations() -> None:
    first = Moments(MANY, np.array([1.0]), np.array([[4.0]]))
    second = Moments(MANY, np.array([4.0]), np.array([[9.0]]))
    assert distance(first, second) == pytest.approx(3**2 + (3 - 2) ** 2, rel=1e-12)


def test_covariances_that_commute_differ_by_their_roots() -> None:
    basis, _ = np.linalg.qr(np.random.default_rng(0).standard_normal((12, 12)))
    first, second = np.linspace(0.1, 5, 12), np.linspace(8, 0.2, 12)
    expected = np.square(np.sqrt(first) - np.sqrt(second)).sum()
    zero = np.zeros(12)
    measured = distance(Moments(MANY, zero, basis * first @ basis.T), Moments(MANY, zero, basis * second @ basis.T))
    assert measured == pytest.approx(expected, rel=1e-12)


def test_well_conditioned_covariances_agree_with_sqrtm() -> None:
    first, second = wishart(64, 1), wishart(64, 2)
    mean = np.random.default_rng(3).standard_normal(64)
    expected = mean @ mean + np.trace(first + second - 2 * sqrtm(first @ second).real)
    measured = distance(Moments(MANY, mean, first), Moments(MANY, np.zeros(64), second))
    assert measured == pytest.approx(expected, rel=1e-9)


def test_the_order_of_two_distributions_does_not_matter() -> None:
    first, second = (Moments(MANY, np.full(20, seed), wishart(20, seed)) for seed in (1, 2))
    assert distance(first, second) == pytest.approx(distance(second, first), rel=1e-12)


@pytest.mark.parametrize("scale", [1e-12, 1.0, 1e12])
def test_a_distribution_is_at_distance_zero_from_itself(scale: float) -> None:
    itself = Moments(MANY, np.ones(30), scale * wishart(30, 0))
    assert 0 <= distance(itself, itself) < 1e-12 * scale * 30


@pytest.mark.parametrize("ranks", [(3, 5), (0, 5), (5, 0), (0, 0), (3, 3)])
def test_covariances_without_full_rank_give_their_closed_form(ranks: tuple[int, int]) -> None:
    basis, _ = np.linalg.qr(np.random.default_rng(0).standard_normal((40, 40)))
    spectra = [np.where(np.arange(40) < rank, np.arange(40) + 1.0, 0.0) for rank in ranks]
    first, second = (Moments(MANY, np.zeros(40), basis * spectrum @ basis.T) for spectrum in spectra)
    expected = np.square(np.sqrt(spectra[0]) - np.sqrt(spectra[1])).sum()
    assert distance(first, second) == pytest.approx(expected, rel=1e-7, abs=1e-7)


def test_dead_features_leave_the_distance_finite() -> None:
    rows = np.random.default_rng(0).standard_normal((200, 16))
    rows[:, 3:9] = 0.0
    measured = distance(moments([rows[:100]]), moments([rows[100:]]))
    alive = np.delete(rows, np.s_[3:9], 1)
    assert measured == pytest.approx(distance(moments([alive[:100]]), moments([alive[100:]])), rel=1e-9)


def test_streamed_moments_are_those_of_all_rows() -> None:
    rows = 1e4 + np.random.default_rng(0).standard_normal((103, 7))
    streamed = moments([rows[:1], rows[1:40], rows[40:]])
    assert streamed.count == 103
    np.testing.assert_allclose(streamed.mean, rows.mean(0), rtol=1e-13)
    np.testing.assert_allclose(streamed.covariance, np.cov(rows, rowvar=False), rtol=1e-9, atol=1e-10)


def test_single_precision_features_are_summed_in_double() -> None:
    rows = (1000 + np.random.default_rng(0).standard_normal((500, 3))).astype(np.float32)
    expected = np.cov(rows.astype(np.float64), rowvar=False)
    np.testing.assert_allclose(moments([rows]).covariance, expected, rtol=1e-9, atol=1e-10)


def test_fewer_images_than_dimensions_warn_and_stay_finite() -> None:
    rows = np.random.default_rng(0).standard_normal((20, 64))
    with pytest.warns(FewImages, match="64 dimensions was estimated from 10 images"):
        measured = distance(moments([rows[:10]]), moments([rows[10:]]))
    assert np.isfinite(measured) and measured > 0


@pytest.mark.filterwarnings("ignore::vaeline.metrics.frechet_distance.FewImages")
@pytest.mark.parametrize("counts", [(10, 15), (10, 200), (200, 10), (64, 65)])
def test_centred_rows_and_their_covariance_give_the_same_distance(counts: tuple[int, int]) -> None:
    generator = np.random.default_rng(0)
    first, second = (
        moments([shift + generator.standard_normal((count, 64))]) for shift, count in zip((0, 1), counts, strict=True)
    )
    assert [each.factor is not None for each in (first, second)] == [count <= 64 for count in counts]
    plain = [replace(each, factor=None) for each in (first, second)]
    assert distance(first, second) == pytest.approx(distance(*plain), rel=1e-6)


@pytest.mark.filterwarnings("ignore::vaeline.metrics.frechet_distance.FewImages")
def test_three_images_each_in_many_dimensions_give_their_closed_form() -> None:
    """Both scatter along two axes, where the covariances commute: roots and traces add up axis by axis."""
    spread = np.array([[1.0, 0], [-0.5, 3**0.5 / 2], [-0.5, -(3**0.5) / 2]])  # covariance 3/4 I with count - 1
    first, second = np.zeros((3, 2048)), np.zeros((3, 2048))
    first[:, [5, 9]], second[:, [5, 9]], second[:, 77] = 2 * spread, spread, 4.0
    found = distance(moments([first]), moments([second]))
    assert found == pytest.approx(16 + 2 * (2 - 1) ** 2 * 0.75, rel=1e-12)
    turned, _ = np.linalg.qr(np.random.default_rng(0).standard_normal((2048, 2048)))
    assert distance(moments([first @ turned]), moments([second @ turned])) == pytest.approx(found, rel=1e-9)


def test_enough_images_do_not_warn() -> None:
    rows = np.random.default_rng(0).standard_normal((20, 4))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        distance(moments([rows[:10]]), moments([rows[10:]]))


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_nonfinite_features_are_refused(bad: float) -> None:
    with pytest.raises(ValueError, match="not finite"), np.errstate(invalid="ignore"):
        moments([np.array([[0.0, 1.0], [bad, 2.0]])])


def test_a_single_row_has_no_covariance() -> None:
    with pytest.raises(ValueError, match="at least 2 rows"):
        moments([np.zeros((1, 3))])
