"""The drawings of a study as files: PNG to look at, SVG for papers and slides."""

from collections.abc import Callable
from functools import partial
from io import BytesIO

from matplotlib.figure import Figure

from vaeline.report import pareto
from vaeline.report.comparison import Comparison
from vaeline.report.plots import figures, latent_figures, measured_figures
from vaeline.report.results import Results
from vaeline.system.plot_style import style

# To add one is a line here, one in workflow/rules/report.smk with its caption in workflow/report/, and two in dvc.yaml.
DRAWINGS: dict[str, Callable[[Results, Comparison], Figure]] = {
    "curves": lambda results, _: figures.curves(results),
    "pareto": pareto.draw,
    "codes": lambda results, _: latent_figures.codes(results),
    "pockets": lambda results, _: latent_figures.pockets(results),
    "leakage": lambda results, _: measured_figures.leakage(results),
    "by_attribute": lambda results, _: measured_figures.by_attribute(results),
}
POINTS = 240  # dots an inch of scattered points, which an SVG holds as a picture: thousands of shapes open slowly


def files(results: Results, comparison: Comparison) -> dict[str, bytes]:
    """Every drawing in both forms, by the name of its file; the same bytes for the same runs and wall times."""
    return {
        f"{name}.{form}": render(partial(draw, results, comparison))
        for name, draw in DRAWINGS.items()
        for form, render in (("png", figures.png), ("svg", svg))
    }


def svg(draw: Callable[[], Figure]) -> bytes:
    """A drawing as SVG of its own, on a white ground and with text that can be edited."""
    with style():
        file = BytesIO()
        metadata = {"Date": None, "Creator": None}
        draw().savefig(file, format="svg", dpi=POINTS, facecolor="white", metadata=metadata)
    return file.getvalue()
