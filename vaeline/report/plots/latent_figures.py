"""Pictures of latent spaces: codes by their label, pockets and leaks, one dimension varied at a time."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from vaeline.report.plots.figures import png, said, side_by_side
from vaeline.report.results import Results, Run
from vaeline.runs.pictures import grid
from vaeline.system.plot_style import COLOURS

PANEL = 2.6  # inches
SHARE = 0.1  # of the draws that are marked as leaks, as low-posterior samples are of the prior's
GREY, POCKET, LEAK = "#9aa3ad", "#c4483f", "#8a5fc7"
FEW_LABELS = 4  # whose values are named with their label: of a digit, the digit says enough
TEN = [*COLOURS, "#33383e", "#b0b7be"]  # for labels


class Plane(NamedTuple):
    """Where latents are drawn: as they are in two dimensions, else on their two principal components."""

    mean: np.ndarray  # (latent,)
    axes: np.ndarray  # (latent, 2)

    def __call__(self, z: np.ndarray) -> np.ndarray:
        flat = (z - self.mean) @ self.axes
        return np.pad(flat, ((0, 0), (0, 2 - flat.shape[1])))


def plane_of(z: np.ndarray) -> Plane:
    """The plane in which latents, (n, latent), vary most."""
    if z.shape[1] <= 2:
        return Plane(np.zeros(z.shape[1]), np.eye(z.shape[1]))
    mean = z.mean(0)
    return Plane(mean, np.linalg.svd(z - mean, full_matrices=False)[2][:2].T)


def codes(results: Results) -> Figure:
    """Codes of test images, coloured by their first label, a panel for each variant's first run."""
    return _panels(results, "codes", _draw_codes, legend=True)


def pockets(results: Results) -> Figure:
    """Draws of the aggregate posterior, grey, over those of p(z), blue, a panel for each variant's first run.

    In red pockets: draws of p(z) that the aggregate posterior covers least. In violet leaks: draws of the aggregate posterior
    that p(z) covers least.
    """
    return _panels(results, "posterior", _draw_pockets)


def traversals_png(results: Results) -> bytes:
    """One test image's code with one dimension varied at a time, a row each, the most varied dimension on top.

    Args:
        results: of a study.
    """
    shown = first_runs(results, "traversals")
    pictures = {
        variant: grid(run.drawn["traversals"].reshape(-1, *run.drawn["traversals"].shape[2:]), run.levels, columns=9)
        for variant, run in shown.items()
    }
    return side_by_side(pictures) if pictures else sentence("No variant of this study has latents to vary, and images.")


def first_runs(results: Results, name: str) -> dict[str, Run]:
    """Each variant's first run that has drawn something of this name."""
    found: dict[str, Run] = {}
    for variant in results.study.variants:
        runs = [run for run in results.of(variant) if name in run.drawn]
        found |= {variant: runs[0]} if runs else {}
    return found


def _panels(results: Results, name: str, draw: Callable[[Axes, Run], None], legend: bool = False) -> Figure:
    shown = first_runs(results, name)
    if not shown:
        return said("No variant of this study has such a latent space.")
    columns = min(len(shown), 4)
    rows = -(-len(shown) // columns)
    figure = Figure(figsize=(columns * PANEL, rows * (PANEL + 0.2)), layout="constrained")
    figure.subplots(rows, columns)
    for axes, (variant, run) in zip(figure.axes, shown.items(), strict=False):
        draw(axes, run)
        axes.set_title(variant)
    for axes in figure.axes[len(shown) :]:
        axes.set_axis_off()
    if legend:
        handles, names = figure.axes[0].get_legend_handles_labels()
        figure.legend(handles, names, loc="outside lower left", ncols=10, frameon=False, markerscale=4)
    return figure


def _draw_codes(axes: Axes, run: Run) -> None:
    codes, (names, values) = run.drawn["codes"], (run.facts.label_names, run.facts.label_values)
    flat, labels = plane_of(codes)(codes), run.drawn["labels"][: len(codes), 0]
    for label in np.unique(labels):
        value = values[0][label] if values else str(label)
        word = f"{names[0]}: {value}" if names and len(values[0]) <= FEW_LABELS else value
        colour, of_label = TEN[label % len(TEN)], flat[labels == label]
        axes.plot(
            *of_label.T,
            ".",
            color=colour,
            markersize=2.5,
            markeredgewidth=0,
            label=word.replace("$", ""),
            rasterized=True,
        )
    _frame(axes, flat)


def _draw_pockets(axes: Axes, run: Run) -> None:
    drawn = run.drawn
    posterior = drawn["posterior"]
    plane = plane_of(posterior)
    flat = plane(posterior)
    clouds = [(plane(drawn["prior"]), COLOURS[0], 2.0), (flat, GREY, 2.0)]
    if "low_posterior_codes" in drawn:
        low = drawn["low_posterior_codes"]  # spread evenly over them: the first ones are the least covered of all
        rows = np.linspace(0, len(low) - 1, min(len(low), round(SHARE * len(drawn["prior"])))).round().astype(int)
        clouds.append((plane(low[rows]), POCKET, 2.5))
    if "posterior_log_p" in drawn:
        lowest = drawn["posterior_log_p"].argsort()[: round(SHARE * len(flat))]
        clouds.append((flat[lowest], LEAK, 2.5))
    for cloud, colour, size in clouds:
        axes.plot(*cloud.T, ".", color=colour, markersize=size, markeredgewidth=0, alpha=0.7, rasterized=True)
    _frame(axes, np.concatenate([flat, plane(drawn["prior"])]))


def _frame(axes: Axes, points: np.ndarray) -> None:
    """Show all but the outermost half per cent, with a margin."""
    low, high = np.quantile(points, [0.005, 0.995], axis=0)
    margin = 0.15 * (high - low) + 1e-6
    axes.set_xlim(low[0] - margin[0], high[0] + margin[0])
    axes.set_ylim(low[1] - margin[1], high[1] + margin[1])


def sentence(text: str) -> bytes:
    """A picture that says why there is none."""
    return png(lambda: said(text))
