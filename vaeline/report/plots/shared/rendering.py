"""From a matplotlib figure to the bytes of a PNG or SVG file; the same figure gives the same bytes each time."""

import re
from collections.abc import Callable
from io import BytesIO, StringIO

import matplotlib
from matplotlib.figure import Figure

from vaeline.system.plot_style import style

RESOLUTION = 120  # dots per inch of a PNG, unless a figure sets its own
RASTERIZED = 240  # dots per inch of scattered points in an SVG: as thousands of shapes they would open slowly
INK = "#010203"  # stands for the page's text colour until an SVG is put into the page


def png(draw: Callable[[], Figure]) -> bytes:
    """A plot as PNG on white."""
    with style(), matplotlib.rc_context({"figure.dpi": RESOLUTION}):
        file = BytesIO()
        draw().savefig(file, format="png", facecolor="white", metadata={"Software": None})
    return file.getvalue()


def svg(draw: Callable[[], Figure]) -> bytes:
    """A plot as an SVG file on white; its text can be edited."""
    with style():
        file = BytesIO()
        metadata = {"Date": None, "Creator": None}
        draw().savefig(file, format="svg", dpi=RASTERIZED, facecolor="white", metadata=metadata)
    return file.getvalue()


def svg_for_page(draw: Callable[[], Figure]) -> bytes:
    """A plot as SVG without a background; its axes and text are dark on a light page and light on a dark page.

    A pixel of a panel of images is a pixel of the page, if the page has room for it.
    """
    with style(ink=INK):
        figure = draw()
        figure.patch.set_visible(False)
        file = StringIO()
        dpi = "figure" if figure.images else RASTERIZED  # panels of images are placed in pixels of their figure
        figure.savefig(file, format="svg", dpi=dpi, metadata={"Date": None, "Creator": None})
    colours = "<style>svg{color:#33383e}@media(prefers-color-scheme:dark){svg{color:#c9ced4}}</style>"
    found = file.getvalue().replace(INK, "currentColor")
    head, rest = found[found.index("<svg") :].split(">", 1)
    if figure.images:
        width, height = (figure.get_size_inches() * figure.dpi).round().astype(int)
        head = re.sub(r'width="[^"]*" height="[^"]*"', f'width="{width}" height="{height}"', head)
    return f"{head}>{colours}{rest}".encode()


def sentence(text: str) -> Figure:
    """A plot that is a sentence: why there is nothing to draw."""
    figure = Figure(figsize=(6, 0.6))
    figure.text(0.02, 0.4, text)
    return figure
