"""The aggregate posterior over p(z), with pockets and leaks: a panel for each variant's first run."""

from functools import partial

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from vaeline.report.findings import Findings
from vaeline.report.plots.shared.contract import OnPage, Plot, unless_drawn
from vaeline.report.plots.shared.latent_plane import NO_LATENTS, panels_of, plane_of, set_limits
from vaeline.report.plots.shared.legend import add_legend
from vaeline.report.results import Run
from vaeline.system.evenly_spaced import evenly_spaced
from vaeline.system.plot_style import COLOURS

SHARE = 0.1  # of the posterior draws that are marked as leaks, and of the prior draws that are marked as pockets
PRIOR, POSTERIOR, POCKET, LEAK = COLOURS[0], "#9aa3ad", "#c4483f", "#8a5fc7"
LEGEND = {"p(z)": PRIOR, "aggregate posterior": POSTERIOR, "pockets": POCKET, "leaks": LEAK}


def draw(findings: Findings) -> Figure:
    """A panel for each variant's first run.

    Draws of the aggregate posterior are grey, draws of p(z) blue. Pockets, red, are draws of p(z) that the aggregate posterior
    covers least. Leaks, violet, are draws of the aggregate posterior that p(z) covers least.
    """
    runs = findings.first_runs_with("posterior")
    figure = panels_of({variant: partial(draw_pockets, run=run) for variant, run in runs.items()})
    dots = [Line2D([], [], linestyle="", marker=".", markersize=10, color=colour) for colour in LEGEND.values()]
    add_legend(figure, dots, list(LEGEND), "outside upper left")
    return figure


def draw_pockets(axes: Axes, run: Run) -> None:
    """Draw the latents of a run."""
    drawn, posterior = run.drawn, run.drawn["posterior"]
    plane = plane_of(posterior)
    prior, flat = plane(drawn["prior"]), plane(posterior)
    clouds = [(prior, PRIOR, 3.0), (flat, POSTERIOR, 3.0)]
    if "low_posterior_codes" in drawn:
        clouds.append((plane(_pockets(drawn["low_posterior_codes"], len(prior))), POCKET, 4.0))
    if "posterior_log_p" in drawn:
        lowest = drawn["posterior_log_p"].argsort()[: round(SHARE * len(flat))]
        clouds.append((flat[lowest], LEAK, 4.0))
    for cloud, colour, size in clouds:
        axes.plot(*cloud.T, ".", color=colour, markersize=size, markeredgewidth=0, alpha=0.7, rasterized=True)
    set_limits(axes, np.concatenate([flat, prior]))


def _pockets(low: np.ndarray, draws: int) -> np.ndarray:
    """As many low-posterior latents as leaks, spread evenly over all of them: the first ones are the least covered."""
    return low[evenly_spaced(len(low), round(SHARE * draws))]


PLOT = Plot(
    draw,
    unless_drawn("posterior", NO_LATENTS),
    forms=("png", "svg"),
    on_page=OnPage(
        "latents",
        place=2,
        title="Pockets and leaks",
        alt="Scatter plots of aggregate posterior and prior, one for each variant",
        caption="draws of the aggregate posterior, the latents of all training images, over draws of the prior p(z). Pockets are draws of p(z) that the "
        "aggregate posterior covers least: nothing was learned there. Leaks are draws of the aggregate posterior that p(z) covers least: samples miss them.",
    ),
)
