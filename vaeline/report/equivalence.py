"""Whether a value equals a published one: two one-sided tests against a margin (Schuirmann, 1987).

A value passes if the interval of its difference lies within the margin. So an imprecise value cannot pass: a wide interval leaves the
margin. It fails if the interval lies outside the margin. Otherwise the data do not decide.
"""

from collections.abc import Sequence
from math import hypot, sqrt
from typing import Literal, NamedTuple

import numpy as np

from vaeline.report.estimates import IMAGES, SEEDS, Error, Estimate, RunValue, estimate_of
from vaeline.report.table import number, spread

LEVEL = 0.05  # of each of the two tests; so the interval is one of 90%

Outcome = Literal["pass", "fail", "undecided", "not comparable"]


class Verdict(NamedTuple):
    """What came out, and why."""

    outcome: Outcome
    reason: str


class FromPublished(NamedTuple):
    """Ours minus published."""

    value: float
    half_width: float | None  # of the interval of 90%; None if nothing tells the error
    over: tuple[str, ...]  # what the interval ranges over


def difference(
    runs: Sequence[RunValue], standard_errors: Sequence[float | None], published: float, error: float
) -> FromPublished:
    """The difference of the mean over runs from a published value.

    Args:
        runs: one for each seed. Their values and parts may already be differences from what is known of each image; then `published` is 0.
        standard_errors: of the runs' values over images, for a single run without parts.
        published: the value.
        error: its standard error.
    """
    found = _of_one(runs[0], standard_errors[0]) if len(runs) == 1 else estimate_of(runs)
    half_width = found.half_width(2 * LEVEL)
    if not half_width:  # None, or seeds that agree to the last digit, which say nothing of other seeds
        return FromPublished(found.mean - published, None, found.over)
    return FromPublished(found.mean - published, hypot(half_width, _normal() * error), found.over)


def _of_one(run: RunValue, standard_error: float | None) -> Estimate:
    """A single run, whose interval ranges over images alone."""
    if len(run.parts) > 1:
        standard_error = float(np.std(run.parts, ddof=1)) / sqrt(len(run.parts))
    if not standard_error:
        return Estimate(run.value, ())
    degrees = len(run.parts) - 1 if len(run.parts) > 1 else 1e6
    return Estimate(run.value, (Error(standard_error, degrees, IMAGES),), (IMAGES,))


def _normal() -> float:
    from scipy.special import ndtri

    return float(ndtri(1 - LEVEL))


def verdict(found: FromPublished, margin: float) -> Verdict:
    """Whether the difference is within the margin.

    Args:
        found: ours minus published.
        margin: the largest difference that does not matter, above 0.
    """
    if found.half_width is None:
        return Verdict("undecided", "nothing tells the error of ours; run more seeds")
    low, high = found.value - found.half_width, found.value + found.half_width
    sign = "+" if found.value > 0 else ""
    words = f"ours - published is {sign}{number(found.value, found.half_width)} {spread(found.half_width)} over {' and '.join(found.over)}"
    words += "" if SEEDS in found.over else ", of one training"
    if -margin <= low and high <= margin:
        return Verdict("pass", f"{words}: within {margin:g}")
    if high < -margin or low > margin:
        return Verdict("fail", f"{words}: outside {margin:g}")
    return Verdict("undecided", f"{words}: {margin:g} cuts it; run more seeds or images")
