"""The kernel distance matches its closed form for Gaussians, is unbiased, and has a correct error."""

import numpy as np
import pytest

from vaeline.metrics import kernel_distance as module
from vaeline.metrics.kernel_distance import kernel_distance


def expected(shift: float) -> float:
    """In one dimension E(ab + 1)^3 = 1 + 3 E a E b + 3 E a^2 E b^2 + E a^3 E b^3, here of N(0, 1) and N(shift, 1)."""
    moments = np.array([1, 0, 1, 0]), np.array([1, shift, 1 + shift**2, shift**3 + 3 * shift])
    weights = np.array([1, 3, 3, 1])
    return float(weights @ (moments[0] - moments[1]) ** 2)


@pytest.mark.parametrize("shift", [0.0, 0.7])
def test_it_is_unbiased_for_a_handful_of_images(shift: float) -> None:
    generator = np.random.default_rng(0)
    found = [
        kernel_distance(generator.standard_normal((5, 1)), shift + generator.standard_normal((8, 1))).distance
        for _ in range(5_000)
    ]
    error = np.std(found) / len(found) ** 0.5
    assert abs(np.mean(found) - expected(shift)) < 4 * error
    assert error < expected(0.7) / 5


def test_it_is_unbiased_over_a_thousand_draws_in_many_dimensions() -> None:
    generator = np.random.default_rng(2)
    found = [
        kernel_distance(generator.standard_normal((20, 64)), generator.standard_normal((30, 64))).distance
        for _ in range(1000)
    ]
    assert abs(np.mean(found)) < 4 * np.std(found) / 1000**0.5


def kernel(a: np.ndarray, b: np.ndarray) -> float:
    return float((a @ b / len(a) + 1) ** 3)


def by_hand(first: np.ndarray, second: np.ndarray) -> float:
    def within(features: np.ndarray) -> float:
        n = len(features)
        pairs = [kernel(features[i], features[j]) for i in range(n) for j in range(n) if i != j]
        return float(np.mean(pairs))

    return within(first) + within(second) - 2 * float(np.mean([kernel(a, b) for a in first for b in second]))


def test_it_is_the_mean_over_all_pairs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BLOCK", 2)  # rows come in several blocks
    generator = np.random.default_rng(1)
    first, second = generator.standard_normal((5, 4)), generator.standard_normal((3, 4))
    assert kernel_distance(first, second).distance == pytest.approx(by_hand(first, second))


def test_the_error_is_the_leave_one_out_error() -> None:
    generator = np.random.default_rng(3)
    first, second = generator.standard_normal((6, 2)), 0.5 + generator.standard_normal((4, 2))
    without_first = [by_hand(np.delete(first, row, 0), second) for row in range(6)]
    without_second = [by_hand(first, np.delete(second, row, 0)) for row in range(4)]
    variance = 5 * np.var(without_first) + 3 * np.var(without_second)
    assert kernel_distance(first, second).standard_error == pytest.approx(variance**0.5)


def test_the_error_covers_another_draw() -> None:
    generator = np.random.default_rng(4)
    found = [
        kernel_distance(generator.standard_normal((60, 3)), 0.7 + generator.standard_normal((50, 3)))
        for _ in range(400)
    ]
    spread = np.std([each.distance for each in found])
    assert np.mean([each.standard_error for each in found]) == pytest.approx(spread, rel=0.15)


def paired(generator: np.random.Generator, count: int = 40) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Two sets of one distribution, each of the second made from one of the first, in another order."""
    real = generator.standard_normal((count, 3))
    made = 0.9 * real + (1 - 0.9**2) ** 0.5 * generator.standard_normal((count, 3))
    order = generator.permutation(count)
    return made[order], real, order


def test_reconstructions_are_not_favoured_by_their_source_images() -> None:
    generator = np.random.default_rng(5)
    found = [paired(generator) for _ in range(600)]
    free = [kernel_distance(made, real, partners) for made, real, partners in found]
    spread = np.std([each.distance for each in free])
    assert abs(np.mean([each.distance for each in free])) < 4 * spread / 600**0.5
    assert spread < np.mean([each.standard_error for each in free]) < 1.5 * spread  # a jackknife errs upwards if at all
    bound = [kernel_distance(made, real).distance for made, real, _ in found]
    assert np.mean(bound) < -10 * spread / 600**0.5


def test_the_error_includes_the_covariance_of_partners() -> None:
    generator = np.random.default_rng(7)
    found = [
        kernel_distance(made + 0.7, real, partners) for made, real, partners in (paired(generator) for _ in range(600))
    ]
    spread = np.std([each.distance for each in found])
    assert np.mean([each.standard_error for each in found]) == pytest.approx(spread, rel=0.15)


def test_images_without_partners_count_as_before() -> None:
    generator = np.random.default_rng(6)
    first, second = generator.standard_normal((6, 2)), generator.standard_normal((4, 2))
    assert kernel_distance(first, second, np.full(6, -1)) == kernel_distance(first, second)
    partners = np.array([-1, 2, -1, 0, -1, -1])
    left = [kernel(a, b) for i, a in enumerate(first) for j, b in enumerate(second) if partners[i] != j]
    alone = by_hand(first, second) + 2 * float(np.mean([kernel(a, b) for a in first for b in second]))
    assert kernel_distance(first, second, partners).distance == pytest.approx(alone - 2 * float(np.mean(left)))


def test_two_images_have_no_error() -> None:
    with pytest.raises(ValueError, match="at least 3 images of each kind, not 2 and 5"):
        kernel_distance(np.zeros((2, 3)), np.zeros((5, 3)))
