"""Colours, strokes and markers of variants."""

from vaeline.report.plots.shared.variant_colours import colours, marker_of, stroke_of
from vaeline.system import plot_style


def test_repeated_colours_have_another_stroke_and_marker() -> None:
    names = [f"variant_{number}" for number in range(9)]
    found = colours(names)
    assert len(set(found.values())) == len(plot_style.COLOURS) == 8
    assert found["variant_8"] == found["variant_0"]
    assert stroke_of(names, "variant_8") != stroke_of(names, "variant_0")
    assert marker_of(names, "variant_8") != marker_of(names, "variant_0")
