"""Figures of a study: samples side by side and training curves, the latter also as drawings for the report's page."""

from collections.abc import Callable, Mapping, Sequence
from io import BytesIO, StringIO
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from PIL import Image

from vaeline.report.results import Results, Run
from vaeline.system.plot_style import COLOURS, STROKES, style

PANELS_IN_A_ROW, GAP, TITLE = 4, 24, 32  # the two last in pixels
LETTER = 8  # pixels that a letter of a head takes, about
INK = "#010203"  # stands for the page's own text colour until the drawing is inlined


class Curve(NamedTuple):
    """A column of training.csv, as drawn."""

    column: str
    title: str
    unit: str


CURVES = [
    Curve("validation_distortion", "Distortion", "nats per image"),
    Curve("validation_rate", "Rate", "nats per image"),
    Curve("sigma", "Sigma", "pixel values"),
    Curve("validation_negative_elbo", "Negative ELBO", "nats per image"),
]


def colours(variants: list[str]) -> dict[str, str]:
    """The colour of each variant, the same in every figure."""
    return {variant: COLOURS[index % len(COLOURS)] for index, variant in enumerate(variants)}


def curves(results: Results) -> Figure:
    """All training curves."""
    figure = Figure(figsize=(10, 6.6), layout="constrained")
    for axes, curve in zip(figure.subplots(2, 2).flat, CURVES, strict=True):
        _draw(axes, results, curve)
    handles, names = figure.axes[0].get_legend_handles_labels()
    if handles:
        figure.legend(handles, names, loc="outside upper center", ncols=min(len(names), 4), frameon=False)
    return figure


def samples_png(results: Results, real: bytes | None) -> bytes:
    """The pictures that each variant's first run sampled, beside the test images whose labels they were given.

    Args:
        results: of a study with a run at least.
        real: PNG of those test images; None where they are not to be had.
    """
    pictures = ({"test images": real} if real else {}) | {
        variant: runs[0].samples for variant in results.study.variants if (runs := results.of(variant))
    }
    return side_by_side(pictures)


def side_by_side(pictures: Mapping[str, bytes], widest: int | None = None) -> bytes:
    """PNG files under their titles as one PNG file, the same bytes each time; a pixel of it is a pixel of theirs.

    Args:
        pictures: title -> PNG.
        widest: pixels of a row, unless one picture takes more; None for four pictures in a row.
    """
    panels = {title: np.asarray(Image.open(BytesIO(picture)).convert("RGB")) for title, picture in pictures.items()}
    height, width = (max(panel.shape[side] for panel in panels.values()) + GAP for side in (0, 1))
    columns = min(len(panels), PANELS_IN_A_ROW if widest is None else max(1, widest // width))
    total = columns * width, -(-len(panels) // columns) * (height + TITLE)
    with style():
        figure = Figure(figsize=(total[0] / 100, total[1] / 100), dpi=100, facecolor="white")
        for index, (title, panel) in enumerate(panels.items()):
            left, top = index % columns * width, index // columns * (height + TITLE)
            figure.text((left + GAP / 2) / total[0], 1 - (top + TITLE - 10) / total[1], title, fontsize=TITLE / 2.2)
            origin = total[1] - top - TITLE - panel.shape[0]
            figure.figimage(panel, left + GAP // 2, origin, origin="upper")
        file = BytesIO()
        figure.savefig(file, format="png", metadata={"Software": None})
    return file.getvalue()


def headed(picture: bytes, heads: Sequence[str]) -> bytes:
    """A PNG file of a grid with a head over each of its columns, slanted where a head is wider than its column."""
    panel = np.asarray(Image.open(BytesIO(picture)).convert("RGB"))
    pitch, longest = panel.shape[1] / len(heads), max(map(len, heads))
    slanted = longest * LETTER > pitch
    above = round(0.7 * longest * LETTER) + TITLE if slanted else TITLE
    beyond = above if slanted else 0  # a slanted head goes beyond the last column
    height, width = panel.shape[0] + above, panel.shape[1] + beyond
    with style():
        figure = Figure(figsize=(width / 100, height / 100), dpi=100, facecolor="white")
        for column, head in enumerate(heads):
            x, y = (column + 0.5) * pitch / width, 1 - (above - 8) / height
            turned = {"rotation": 45, "ha": "left"} if slanted else {"ha": "center"}
            figure.text(
                x, y, head, fontsize=TITLE / 2.6, va="bottom", rotation_mode="anchor", parse_math=False, **turned
            )
        figure.figimage(panel, 0, 0, origin="upper")
        file = BytesIO()
        figure.savefig(file, format="png", metadata={"Software": None})
    return file.getvalue()


def curve_svg(results: Results, curve: Curve) -> str:
    """One training curve as SVG."""

    def draw() -> Figure:
        figure = Figure(figsize=(5, 3.1), layout="constrained")
        _draw(figure.subplots(), results, curve)
        return figure

    return svg(draw)


def svg(draw: Callable[[], Figure]) -> str:
    """A drawing as SVG on a clear ground; axes and text are black on a light page and white on a dark one."""
    with style(ink=INK):
        figure = draw()
        figure.patch.set_visible(False)
        file = StringIO()
        figure.savefig(file, format="svg", metadata={"Date": None, "Creator": None})
    root = "<style>svg{color:#33383e}@media(prefers-color-scheme:dark){svg{color:#c9ced4}}</style>"
    found = file.getvalue().replace(INK, "currentColor")
    head, rest = found[found.index("<svg") :].split(">", 1)
    return f"{head}>{root}{rest}"


def png(draw: Callable[[], Figure]) -> bytes:
    """A drawing as PNG, the same bytes each time."""
    with style():
        file = BytesIO()
        draw().savefig(file, format="png", dpi=120, facecolor="white", metadata={"Software": None})
    return file.getvalue()


def stroke_of(variants: list[str], variant: str) -> str:
    """How a variant's lines are drawn: colours come again after a round of them, in another stroke."""
    return STROKES[variants.index(variant) // len(COLOURS) % len(STROKES)]


def said(text: str) -> Figure:
    """A drawing that says why there is none."""
    figure = Figure(figsize=(6, 0.6))
    figure.text(0.02, 0.4, text)
    return figure


def _draw(axes: Axes, results: Results, curve: Curve) -> None:
    """A thin line for each seed, and a bold one for their mean as far as all of them go."""
    for variant, colour in colours(results.study.variants).items():
        stroke = stroke_of(results.study.variants, variant)
        lines = [_line(run, curve.column) for run in results.of(variant)]
        for epochs, values in lines:
            axes.plot(epochs, values, stroke, color=colour, linewidth=0.7, alpha=0.45)
        if lines:
            shared = min((epochs for epochs, _ in lines), key=len)
            mean = np.mean([values[: len(shared)] for _, values in lines], axis=0)
            axes.plot(shared, mean, stroke, color=colour, linewidth=1.8, label=variant)
    axes.set_title(curve.title)
    axes.set_xlabel("epoch")
    axes.set_ylabel(curve.unit)
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))


def _line(run: Run, column: str) -> tuple[np.ndarray, np.ndarray]:
    """The epochs that have a value, and the values."""
    values = run.training.get(column, np.empty(0))
    known = np.isfinite(values)
    return run.training["epoch"][: len(values)][known], values[known]
