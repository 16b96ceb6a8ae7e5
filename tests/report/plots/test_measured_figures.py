"""Leakage by threshold and condition accuracy by attribute: what is drawn of what was measured."""

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.made_up import study, write_run
from vaeline.report import results
from vaeline.report.plots import figures, measured_figures
from vaeline.report.results import Results


def curve(shares: list[float]) -> list[dict[str, float | None]]:
    """Of thresholds -20, -10 and -1; where there is no share, there is no leakage."""
    return [
        {"threshold": threshold, "leakage": 10 * share or None, "share": share}
        for threshold, share in zip((-20.0, -10.0, -1.0), shares, strict=True)
    ]


@pytest.fixture
def found(tmp_path: Path) -> Results:
    for seed, shares in enumerate([[0.0, 0.25, 1.0], [0.5, 0.75, 1.0]]):
        accuracy = {"value": 0.5, "by_label": {"Male": 0.5 + seed / 4, "a $ and <b>": 0.25}}
        leakage: dict[str, Any] = {"value": 1.0, "curve": curve(shares)}
        write_run(tmp_path / "one" / f"seed-{seed}", {"leakage": 1.0, "condition_accuracy": 0.5},
                  {"leakage": leakage, "condition_accuracy": accuracy})  # fmt: skip
        write_run(tmp_path / "two" / f"seed-{seed}", {"nll": 1.0})
    return results.read(tmp_path, study(seeds=(0, 1)))


def test_a_mean_is_drawn_where_every_run_has_a_value(found: Results) -> None:
    assert measured_figures.has_leakage(found)
    panel, shares = measured_figures.leakage(found).axes
    *_, bold = panel.lines
    np.testing.assert_array_equal(bold.get_ydata(), [np.nan, 5.0, 10.0])
    np.testing.assert_array_equal(shares.lines[-1].get_ydata(), [0.25, 0.5, 1.0])
    assert [line.get_label() for line in panel.lines if line.get_linewidth() > 1] == ["one"]


def test_attributes_stand_by_how_well_they_are_obeyed(found: Results) -> None:
    assert measured_figures.accuracies(found, "condition_accuracy") == {
        "Male": {"one": 0.625}, "a $ and <b>": {"one": 0.25}
    }  # fmt: skip
    [axes] = measured_figures.by_attribute(found).axes
    assert [tick.get_text() for tick in axes.get_yticklabels()] == ["a $ and <b>", "Male"]
    drawing = figures.svg(partial(measured_figures.by_attribute, found))
    assert "a $ and &lt;b&gt;" in drawing and "<b>" not in drawing


def test_a_study_without_either_has_no_drawing(tmp_path: Path) -> None:
    write_run(tmp_path / "one" / "seed-0", {"nll": 1.0})
    alone = results.read(tmp_path, study(("one",), (0,)))
    assert not measured_figures.has_leakage(alone) and not measured_figures.accuracies(alone, "condition_accuracy")
