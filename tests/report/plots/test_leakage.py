"""Leakage by threshold as drawn."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.made_up import findings_of, study, write_run
from vaeline.report import results
from vaeline.report.findings import Findings
from vaeline.report.plots import leakage


def curve(shares: list[float]) -> list[dict[str, float | None]]:
    """Points at thresholds -20, -10 and -1; where there is no share, there is no leakage."""
    return [
        {"threshold": threshold, "leakage": 10 * share or None, "share": share}
        for threshold, share in zip((-20.0, -10.0, -1.0), shares, strict=True)
    ]


@pytest.fixture
def found(tmp_path: Path) -> Findings:
    for seed, shares in enumerate([[0.0, 0.25, 1.0], [0.5, 0.75, 1.0]]):
        made: dict[str, Any] = {"leakage": {"value": 1.0, "curve": curve(shares)}}
        write_run(tmp_path / "one" / f"seed-{seed}", {"leakage": 1.0}, made)
        write_run(tmp_path / "two" / f"seed-{seed}", {"nll": 1.0})
    return findings_of(results.read(tmp_path, study(seeds=(0, 1))))


def test_a_mean_needs_a_value_of_every_run(found: Findings) -> None:
    panel, shares = leakage.draw(found).axes
    *_, bold = panel.lines
    np.testing.assert_array_equal(bold.get_ydata(), [np.nan, 5.0, 10.0])
    np.testing.assert_array_equal(shares.lines[-1].get_ydata(), [0.25, 0.5, 1.0])
    assert [line.get_label() for line in panel.lines if line.get_linewidth() > 1] == ["one"]


def test_a_variant_without_a_curve_is_named_with_the_reason(found: Findings) -> None:
    assert leakage.PLOT.left_out(found) == {"two": "not measured"}
