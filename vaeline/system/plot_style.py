"""The style of all plots."""

from contextlib import AbstractContextManager

import matplotlib

# Each has a contrast of at least 3.4 on a white and on a dark page. Neighbours differ for every kind of colour vision.
COLOURS = ["#2f7ed8", "#d2691e", "#1f9d78", "#b5559c", "#8a8d2b", "#6f6bd1", "#c4483f", "#5f8a9e"]
# The next stroke or marker is used once all colours are used.
STROKES = ["-", "--", "-.", ":"]
MARKERS = ["o", "s", "D", "^"]
INK = "#33383e"  # of text and axes


def style() -> AbstractContextManager[None]:
    """A context manager that gives plots their style."""
    return matplotlib.rc_context(
        {
            "font.family": "sans-serif", "font.size": 9, "axes.titlesize": 10, "axes.titleweight": "bold",
            "axes.titlelocation": "left", "axes.spines.top": False, "axes.spines.right": False, "axes.grid": True,
            "axes.axisbelow": True, "axes.facecolor": "none", "axes.edgecolor": INK, "axes.labelcolor": INK, "text.color": INK,
            "xtick.color": INK, "ytick.color": INK, "grid.color": INK, "grid.alpha": 0.15, "grid.linewidth": 0.6,
            "svg.fonttype": "none", "svg.hashsalt": "vaeline", "savefig.facecolor": "auto",
        }
    )  # fmt: skip
