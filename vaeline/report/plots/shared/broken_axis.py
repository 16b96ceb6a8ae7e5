"""An axis with a break: if a variant lies far off the others, the values between them are squeezed.

Either side of the break has a scale of its own, so that differences between the variants that lie together stay visible. The band of
values that are squeezed is grey.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator

FAR = 0.75  # of the whole range: so much of it must be empty between two groups of variants
BAND = 0.05  # of the axis that the break takes
LEAST = 0.25  # of the rest that the side with fewer variants takes at least
ROOM = 0.08  # of a side's range that is left free at its ends
TICKS = 4  # on either side, at most


class Break(NamedTuple):
    """Where the ends of an axis and of its break are."""

    values: tuple[float, float, float, float]  # low end, begin of the break, end of the break, high end
    places: tuple[float, float, float, float]  # the same on the axis, from 0 to 1

    def forward(self, values: np.ndarray) -> np.ndarray:
        """The places of values; beyond the ends the scale goes on."""
        return _along(values, self.values, self.places)

    def inverse(self, places: np.ndarray) -> np.ndarray:
        """The values at places."""
        return _along(places, self.places, self.values)


def _along(given: np.ndarray, old: Sequence[float], new: Sequence[float]) -> np.ndarray:
    """Map piece by piece from one scale to another, with the first and the last piece lengthened."""
    slopes = np.diff(new) / np.diff(old)
    piece = np.clip(np.searchsorted(old, given) - 1, 0, len(slopes) - 1)
    return np.asarray(new)[piece] + (np.asarray(given) - np.asarray(old)[piece]) * slopes[piece]


def break_between(extents: Iterable[tuple[float, float]]) -> Break | None:
    """The break of an axis; None if no variant lies far off.

    Args:
        extents: the least and the greatest value of each variant, finite.
    """
    ordered = sorted(extents)
    tops = np.maximum.accumulate([high for _, high in ordered])
    gaps = [low - top for (low, _), top in zip(ordered[1:], tops[:-1], strict=True)]
    if not gaps or max(gaps) <= FAR * (tops[-1] - ordered[0][0]):
        return None
    below = int(np.argmax(gaps)) + 1
    low, high = (
        _roomy(ordered[0][0], float(tops[below - 1]), max(gaps)),
        _roomy(ordered[below][0], float(tops[-1]), max(gaps)),
    )
    share = float(np.clip(below / len(ordered), LEAST, 1 - LEAST)) * (1 - BAND)
    return Break((*low, *high), (0.0, share, share + BAND, 1.0))


def _roomy(low: float, high: float, gap: float) -> tuple[float, float]:
    room = ROOM * (high - low) or 0.01 * gap
    return low - room, high + room


def apply_break(axes: Axes, across: bool, at: Break) -> None:
    """Break an axis of a panel, after everything else is drawn.

    Args:
        axes: of the panel.
        across: the x axis; else the y axis.
        at: the break.
    """
    axis = axes.xaxis if across else axes.yaxis
    (axes.set_xscale if across else axes.set_yscale)("function", functions=(at.forward, at.inverse))
    (axes.set_xlim if across else axes.set_ylim)(at.values[0], at.values[3])
    axis.set_major_locator(FixedLocator([*_ticks(*at.values[:2]), *_ticks(*at.values[2:])]))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.6g}".replace("-", "\N{MINUS SIGN}")))
    axis.set_minor_locator(FixedLocator([]))
    span = axes.axvspan if across else axes.axhspan
    span(*at.values[1:3], color=matplotlib.rcParams["text.color"], alpha=0.12, linewidth=0, zorder=0)


def _ticks(low: float, high: float) -> list[float]:
    return [tick for tick in MaxNLocator(TICKS).tick_values(low, high) if low <= tick <= high]
