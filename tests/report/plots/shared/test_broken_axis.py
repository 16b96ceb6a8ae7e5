"""An axis with a break."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from vaeline.report.plots.shared.broken_axis import apply_break, break_between


def test_values_on_either_side_of_a_break_are_told_apart() -> None:
    at = break_between([(0.0, 1.0), (0.5, 2.0), (3000.0, 3050.0)])
    assert at
    places = at.forward(np.array([0.0, 2.0, 3000.0, 3050.0]))
    assert (np.diff(places) > 0).all() and places[1] - places[0] > 0.4 and places[3] - places[2] > 0.15
    values = np.array([-100.0, 0.0, 1.0, 1500.0, 3020.0, 9000.0])
    assert at.inverse(at.forward(values)) == pytest.approx(values)


@pytest.mark.parametrize("extents", [[], [(0.0, 1.0)], [(0.0, 1.0), (1.5, 2.0)], [(0.0, 5.0), (1.0, 2.0), (5.5, 9.0)]])
def test_variants_that_lie_together_need_no_break(extents: list[tuple[float, float]]) -> None:
    assert break_between(extents) is None


def test_a_value_without_spread_has_room_around_it() -> None:
    at = break_between([(1.0, 1.0), (1.0, 1.0), (900.0, 900.0)])
    assert at and at.values[0] < 1.0 < at.values[1] < at.values[2] < 900.0 < at.values[3]


@pytest.mark.parametrize("across", [True, False])
def test_a_broken_axis_has_ticks_on_both_sides_and_none_in_between(across: bool) -> None:
    axes = Figure().subplots()
    axes.plot([0.0, 2.0, 3000.0], [0.0, 2.0, 3000.0])
    at = break_between([(0.0, 1.0), (1.0, 2.0), (3000.0, 3000.5)])
    assert at
    apply_break(axes, across, at)
    ticks = axes.get_xticks() if across else axes.get_yticks()
    assert (ticks < 3).sum() > 1 and (ticks > 2999).sum() > 1 and not ((ticks > 3) & (ticks < 2999)).any()
