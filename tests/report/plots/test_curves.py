"""Training curves."""

from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure

from tests.made_up import findings_of, study, write_run
from vaeline.report import results
from vaeline.report.findings import Findings
from vaeline.report.plots import curves
from vaeline.report.plots.shared import rendering
from vaeline.report.results import Results


@pytest.fixture
def findings(tmp_path: Path) -> Findings:
    for variant in ("one", "two"):
        for seed in range(2):
            write_run(tmp_path / variant / f"seed-{seed}", {"nll": 1.0}, epochs=4 + seed)
    return findings_of(results.read(tmp_path, study(("one", "two"), (0, 1))))


def test_the_mean_curve_ends_with_the_shortest_seed(findings: Findings) -> None:
    axes = Figure().subplots()
    curves.draw_curve(axes, findings, curves.CURVES[0])
    lines = [(line.get_label(), list(np.asarray(line.get_xdata()))) for line in axes.get_lines()]
    assert [epochs for _, epochs in lines[:3]] == [[1, 3, 4], [1, 3, 4, 5], [1, 3, 4]]  # epoch 2 was not validated
    assert lines[2][0] == "one"
    assert len(lines) == 6


def test_a_tick_ends_the_line_of_a_seed_that_stopped_early(findings: Findings) -> None:
    settings = findings.results.settings | {"training": {"epochs": 5}}
    axes = Figure().subplots()
    curves.draw_curve(axes, replace(findings, results=replace(findings.results, settings=settings)), curves.CURVES[0])
    ends = [float(line.get_xdata()[0]) for line in axes.get_lines() if line.get_marker() == "|"]
    assert ends == [4, 4]  # the second seed of each variant reached epoch 5


def test_a_variant_that_is_far_off_breaks_the_axis(findings: Findings) -> None:
    column = curves.CURVES[0].column
    runs = [
        replace(run, training={**run.training, column: run.training[column] + 9000 * (run.variant == "two")})
        for run in findings.results.runs
    ]
    [axes] = curves.draw_one(replace(findings, results=replace(findings.results, runs=runs)), curves.CURVES[0]).axes
    assert axes.get_yscale() == "function"


def test_one_curve_is_drawn_alone_under_its_title(findings: Findings) -> None:
    [axes] = curves.draw_one(findings, curves.CURVES[3]).axes
    assert axes.get_title(loc="center") == "Negative ELBO"


def test_a_study_without_runs_draws_empty_axes() -> None:
    nothing = findings_of(Results(study().study, [], {}))
    assert rendering.png(partial(curves.draw, nothing)).startswith(b"\x89PNG")
