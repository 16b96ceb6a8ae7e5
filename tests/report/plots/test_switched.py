"""Labels switched as drawn."""

import numpy as np

from vaeline.report.findings import Findings
from vaeline.report.plots import switched
from vaeline.report.plots.shared.panels import SMALLEST, WIDEST, decoded


def test_switched_labels_show_their_values(findings: Findings) -> None:
    assert switched.switches(findings.results.runs[0]) == ["digit 0", "digit 1"]


def test_many_values_stand_without_the_name_of_their_label(findings: Findings) -> None:
    run = findings.results.runs[0]
    run.facts.label_values[:] = [["0", "1", "2", "3"]]
    assert switched.switches(run) == ["0", "1"]


def test_attributes_are_named_if_they_are_switched(findings: Findings) -> None:
    run = findings.results.runs[0]
    run.facts.label_names[:], run.facts.label_values[:] = ["Male", "Wavy_Hair"], [["no", "yes"]] * 2
    run.drawn["switched_labels"] = np.array([[[0, 1], [1, 1], [0, 0]]])
    assert switched.switches(run) == ["as asked", "Male", "Wavy Hair"]


def test_the_plot_fits_the_page_at_half_its_size(findings: Findings) -> None:
    assert decoded(switched.PLOT.render(findings, "png")).shape[1] <= WIDEST / SMALLEST
