"""Trade-offs as drawn, on values whose front is known."""

from collections.abc import Callable

from matplotlib.colors import to_hex
from matplotlib.container import ErrorbarContainer

from tests.report.conftest import TRADED
from vaeline.report.findings import Findings
from vaeline.report.plots import pareto
from vaeline.report.plots.shared.variant_colours import colours


def markers(found: Findings) -> list[dict[str, str]]:
    """For each panel, the variants with a mean, and whether its marker is filled."""
    drawn = pareto.draw(found)
    names = {colour: variant for variant, colour in colours(found.variants).items()}
    panels = []
    for axes in drawn.axes:
        lines = [container.lines[0] for container in axes.containers if isinstance(container, ErrorbarContainer)]
        fills = {names[str(line.get_color())]: line.get_markerfacecolor() for line in lines}
        panels.append({variant: "open" if fill == "none" else to_hex(fill) for variant, fill in fills.items()})
    return [panel for panel in panels if panel]


def test_means_on_the_front_are_filled(traded: Callable[..., Findings]) -> None:
    found = traded()
    small, good, _ = colours(found.variants).values()
    by_likelihood, *_ = drawn = markers(found)
    assert len(drawn) == 5
    assert by_likelihood == {"small": "open", "good": good, "beaten": "open"}  # `good` is best in both
    assert drawn[1] == {"small": small, "good": good, "beaten": "open"}  # as many parameters as `small`, a worse nll


def test_an_upper_bound_has_its_own_marker(traded: Callable[..., Findings]) -> None:
    found = traded(how={"good": {"upper_bound": "too few samples"}})
    drawn = pareto.draw(found)
    signs = [container.lines[0].get_marker() for container in drawn.axes[0].containers]
    assert signs == ["o", pareto.BOUND, "o"]
    assert {container.lines[0].get_marker() for container in drawn.axes[-1].containers} == {"o"}  # samples by seconds


def test_every_run_is_a_dot(traded: Callable[..., Findings]) -> None:
    [axes, *_] = pareto.draw(traded()).axes
    dots = [line.get_xydata().tolist() for line in axes.get_lines() if line.get_markersize() == 3]
    assert dots == [[[3.0, 5.0], [3.5, 5.5]], [[1.0, 1.0], [1.5, 1.5]], [[4.0, 6.0], [4.5, 6.5]]]


def test_a_wide_scale_is_logarithmic(traded: Callable[..., Findings]) -> None:
    likelihood, parameters, *_ = pareto.draw(traded()).axes
    assert (likelihood.get_xscale(), parameters.get_xscale()) == ("linear", "log")


def test_a_variant_that_is_far_off_breaks_the_scale_of_a_quality(traded: Callable[..., Findings]) -> None:
    axes, *_ = pareto.draw(traded({**TRADED, "far": {"nll": 3000.0, "fd_sample": 2.0, "parameters": 100}})).axes
    assert (axes.get_xscale(), axes.get_yscale()) == ("linear", "function")


def test_a_study_without_trade_offs_is_explained(traded: Callable[..., Findings]) -> None:
    found = traded({name: {"rate": 1.0} for name in ("one", "two")}, {})
    assert pareto.PLOT.figure(found).texts[0].get_text() == "No two variants of this study have metrics to trade off."
