"""The kernel distance has its closed form for Gaussians, and no bias in few images."""

import numpy as np
import pytest

from vaeline.metrics.kernel_distance import kernel_distance


def expected(shift: float) -> float:
    """In one dimension E(ab + 1)^3 = 1 + 3 E a E b + 3 E a^2 E b^2 + E a^3 E b^3, here of N(0, 1) and N(shift, 1)."""
    moments = np.array([1, 0, 1, 0]), np.array([1, shift, 1 + shift**2, shift**3 + 3 * shift])
    weights = np.array([1, 3, 3, 1])
    return float(weights @ (moments[0] - moments[1]) ** 2)


@pytest.mark.parametrize("shift", [0.0, 0.7])
def test_it_is_right_on_average_from_a_handful_of_images(shift: float) -> None:
    generator = np.random.default_rng(0)
    found = [
        kernel_distance(generator.standard_normal((5, 1)), shift + generator.standard_normal((8, 1)))
        for _ in range(50_000)
    ]
    error = np.std(found) / len(found) ** 0.5
    assert abs(np.mean(found) - expected(shift)) < 4 * error
    assert error < expected(0.7) / 20


def test_it_is_the_sum_over_all_pairs() -> None:
    generator = np.random.default_rng(1)
    first, second = generator.standard_normal((3, 4)), generator.standard_normal((2, 4))

    def kernel(a: np.ndarray, b: np.ndarray) -> float:
        return float((a @ b / 4 + 1) ** 3)

    within_first = sum(kernel(first[i], first[j]) for i in range(3) for j in range(3) if i != j) / 6
    within_second = kernel(second[0], second[1])
    between = sum(kernel(a, b) for a in first for b in second) / 6
    assert kernel_distance(first, second) == pytest.approx(within_first + within_second - 2 * between)
