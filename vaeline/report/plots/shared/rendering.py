"""From a matplotlib figure to the bytes of a PNG or SVG file; the same figure gives the same bytes each time."""

import re
from collections.abc import Callable
from io import BytesIO

import matplotlib
from matplotlib.figure import Figure

from vaeline.system.plot_style import INK, style

RESOLUTION = 120  # dots per inch of a PNG, unless a figure sets its own
RASTERIZED = 240  # dots per inch of scattered points in an SVG: as thousands of shapes they would open slowly
WHITE = "#ffffff"  # of the ground
LIGHT = "#c9ced4"  # of text and axes on a dark page


def png(draw: Callable[[], Figure]) -> bytes:
    """A plot as PNG on white."""
    with style(), matplotlib.rc_context({"figure.dpi": RESOLUTION}):
        file = BytesIO()
        draw().savefig(file, format="png", facecolor="white", metadata={"Software": None})
    return file.getvalue()


def svg(draw: Callable[[], Figure]) -> bytes:
    """A plot as an SVG file on white; its text can be edited."""
    with style():
        figure, file = draw(), BytesIO()
        metadata = {"Date": None, "Creator": None}
        dpi = "figure" if figure.images else RASTERIZED  # panels of images are placed in pixels of their figure
        figure.savefig(file, format="svg", dpi=dpi, facecolor=WHITE, metadata=metadata)
    if not figure.images:
        return file.getvalue()
    width, height = (
        (figure.get_size_inches() * figure.dpi).round().astype(int)
    )  # a pixel of a panel is a pixel of a page
    return re.sub(
        rb'width="[^"]*" height="[^"]*"', b'width="%d" height="%d"' % (width, height), file.getvalue(), count=1
    )


def svg_for_page(draw: Callable[[], Figure]) -> bytes:
    """A plot as `for_page` shows it."""
    return for_page(svg(draw))


def for_page(content: bytes) -> bytes:
    """An SVG file without its background; its axes and text are dark on a light page and light on a dark page.

    Args:
        content: what `svg` returns. It is used again, since drawing takes most of the time of a report.
    """
    colours = f"<style>svg{{color:{INK}}}@media(prefers-color-scheme:dark){{svg{{color:{LIGHT}}}}}</style>"
    found = content.decode().replace(INK, "currentColor").replace(f"fill: {WHITE}", "fill: none", 1)
    head, rest = found[found.index("<svg") :].split(">", 1)
    return f"{head}>{colours}{rest}".encode()


def sentence(text: str) -> Figure:
    """A plot that is a sentence: why there is nothing to draw."""
    figure = Figure(figsize=(6, 0.6))
    figure.text(0.02, 0.4, text)
    return figure
