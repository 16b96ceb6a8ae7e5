"""The design of a tuning: its points fill the space evenly, and do not depend on how many there are."""

import math
from collections import Counter
from typing import Any

import pytest

from vaeline.study.design import PRIMES, point, value_at

RATE = "training.learning_rate"
UNIT = {"linear": [0.0, 1.0]}


def column(key: str, count: int, seed: int = 0, **space: Any) -> list[Any]:
    return [point(space, seed, trial)[key] for trial in range(count)]


@pytest.mark.parametrize("place", range(len(PRIMES)))
def test_each_key_has_one_trial_in_each_of_as_many_equal_intervals(place: int) -> None:
    """A property of the radical inverse in a base b: of b^k points, each interval of length b^-k has one."""
    space = {f"key{index}": UNIT for index in range(len(PRIMES))}
    base = PRIMES[place]
    for count in (base, base**2):
        values = column(f"key{place}", count, seed=3, **space)
        assert Counter(math.floor(value * count) for value in values) == dict.fromkeys(range(count), 1)


def test_two_keys_fill_the_square() -> None:
    """Of 2 x 3 points, each of 2 x 3 boxes has one."""
    points = [point({"a": UNIT, "b": UNIT}, 5, trial) for trial in range(6)]
    assert len({(int(each["a"] * 2), int(each["b"] * 3)) for each in points}) == 6  # type: ignore[operator]


def test_points_are_those_of_the_seed_whatever_the_order_of_the_keys() -> None:
    assert point({"a": UNIT, "b": UNIT}, 0, 1) == point({"b": UNIT, "a": UNIT}, 0, 1)
    assert column("a", 8, seed=0, a=UNIT) != column("a", 8, seed=1, a=UNIT)


def test_points_stay_as_they_were() -> None:
    """Trials that were run before an update of vaeline, Python or NumPy stay those of their design."""
    assert column(RATE, 4, **{RATE: {"log": [0.0001, 0.01]}}) == [0.006446, 0.0006446, 0.002038, 0.0002038]


def test_values_lie_in_their_ranges() -> None:
    ends = (0.0, 1 - 2.0**-53)
    assert [value_at({"log": [0.0001, 0.01]}, at) for at in (*ends, 0.5)] == [0.0001, 0.01, 0.001]
    assert [value_at({"linear": [-1, 0.25]}, at) for at in (*ends, 0.8)] == [-1.0, 0.25, 0.0]
    assert [value_at({"whole": [2, 4]}, at) for at in (*ends, 0.4)] == [2, 4, 3]
    assert [value_at({"among": ["relu", "silu"]}, at) for at in (*ends, 0.4)] == ["relu", "silu", "relu"]
    assert value_at({"linear": [1 / 3, 2 / 3]}, 0.0) == 1 / 3  # and not the rounded 0.3333 below it
