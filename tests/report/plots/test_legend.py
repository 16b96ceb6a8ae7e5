"""The legend above a plot: panels keep their size with any number of variants."""

import pytest
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from vaeline.report.plots.shared.legend import add_legend


def height_of_panels(names: list[str]) -> float:
    """Inches of a panel below a legend of these names."""
    figure = Figure(figsize=(6.6, 3.0), layout="constrained")
    axes = figure.subplots()
    add_legend(figure, [Line2D([], [], marker="o", linestyle="") for _ in names], names)
    figure.draw_without_rendering()
    [legend] = figure.legends
    assert legend.get_window_extent().width <= figure.bbox.width
    return float(axes.get_position().height * figure.get_figheight())


@pytest.mark.parametrize("length", [4, 19])
def test_panels_below_thirty_names_are_as_high_as_below_one(length: int) -> None:
    names = [f"{index:02}".ljust(length, "m") for index in range(30)]
    assert height_of_panels(names) == pytest.approx(height_of_panels(names[:1]), abs=0.25)


def test_few_names_have_at_most_four_columns() -> None:
    figure = Figure(figsize=(9.0, 3.0), layout="constrained")
    add_legend(figure, [Line2D([], []) for _ in range(8)], [*"abcdefgh"])
    assert figure.legends[0]._ncols == 4 and figure.get_figheight() == pytest.approx(3.2, abs=0.06)


def test_a_plot_without_lines_has_no_legend() -> None:
    figure = Figure(layout="constrained")
    add_legend(figure, [], [])
    assert not figure.legends
