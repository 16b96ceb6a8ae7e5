"""The design of a tuning: which values each trial has for the keys of its space.

The points are those of a randomised Halton sequence (Owen, 2017, "A randomized Halton algorithm in R"): coordinate j of point n is the
radical inverse of n in the j-th prime, with the digits of each place permuted by the seed. They fill the space more evenly than
independent draws, and a longer list of trials begins with the points of a shorter one. A point depends on space, seed and number
of the trial alone, so that all variants have the same. It needs no library, whose next version might draw other points.
"""

import math
from collections.abc import Mapping
from typing import Any

from vaeline.study.schema import Space
from vaeline.system.seeds import derive_seed

Value = bool | int | float | str | list[int | float] | None
Point = dict[str, Value]  # dotted key -> its value

PRIMES = (2, 3, 5, 7, 11, 13, 17, 19)  # the bases, one for each key
FINEST = 2.0**-40  # places that are worth less than this are left out
DIGITS = 4  # of a number, so that it can be read, and does not depend on the last bits of a logarithm


def point(space: Space, seed: int, trial: int) -> Point:
    """The values of a trial.

    Args:
        space: dotted key -> its range, at most eight.
        seed: of the design.
        trial: its number, from 0.
    """
    coordinates = {key: _coordinate(place, seed, trial) for place, key in enumerate(sorted(space))}
    return {key: value_at(space[key], coordinate) for key, coordinate in coordinates.items()}


def _coordinate(place: int, seed: int, trial: int) -> float:
    """A coordinate of a point, in [0, 1)."""
    base, scale, at, found = PRIMES[place], 1.0, 0, 0.0
    while scale > FINEST:
        trial, digit = divmod(trial, base)
        order = sorted(range(base), key=lambda each: derive_seed("design", seed, place, at, each))
        scale /= base
        found += order[digit] * scale
        at += 1
    return found


def value_at(range_: Mapping[Any, list[Any]], coordinate: float) -> Value:
    """The value of a range at a coordinate in [0, 1)."""
    [(kind, given)] = range_.items()
    if kind == "among":
        chosen: Value = given[int(coordinate * len(given))]
        return chosen
    low, high = given
    if kind == "whole":
        return int(low + int(coordinate * (high - low + 1)))
    exact = low * (high / low) ** coordinate if kind == "log" else low + (high - low) * coordinate
    return min(max(_rounded(exact), float(low)), float(high))


def _rounded(value: float) -> float:
    return 0.0 if value == 0 else round(value, DIGITS - 1 - math.floor(math.log10(abs(value))))
