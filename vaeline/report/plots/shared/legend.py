"""The legend of a plot: above its panels, which keep their size however many variants there are."""

from collections.abc import Sequence
from math import ceil
from typing import Literal

from matplotlib.artist import Artist
from matplotlib.figure import Figure

FEW, MOST = 4, 10  # columns of a legend of up to two rows of few, and of a longer one

Place = Literal["outside upper center", "outside upper left"]


def add_legend(
    figure: Figure, handles: Sequence[Artist], names: Sequence[str], place: Place = "outside upper center"
) -> None:
    """Add a legend in as many columns as fit; the figure grows by its rows after the first.

    Args:
        figure: in constrained layout.
        handles: one for each name; without any, nothing is added.
        names: of the handles.
        place: outside the panels.
    """
    most = min(len(names), FEW if len(names) <= 2 * FEW else MOST)
    for columns in range(most, 0, -1):
        legend = figure.legend(handles, names, loc=place, ncols=columns, columnspacing=1, frameon=False)
        size = legend.get_window_extent()
        if columns == 1 or size.width <= figure.bbox.width:
            rows = ceil(len(names) / columns)
            figure.set_figheight(figure.get_figheight() + size.height / figure.dpi * (1 - 1 / rows))
            return
        legend.remove()
