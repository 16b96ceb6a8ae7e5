"""The worst reconstructions as drawn."""

import numpy as np

from vaeline.data.facts import Facts
from vaeline.report.findings import Findings
from vaeline.report.plots import worst
from vaeline.report.plots.shared.panels import decoded
from vaeline.report.real_images import RealImages


def test_reconstructions_are_sorted_worst_first(findings: Findings) -> None:
    run = findings.results.runs[0]
    assert run.failures["test_index"].tolist() == [1, 0, 2, 3]  # of errors 0.4, 0.3, 0.2, 0.1
    test = np.arange(4, dtype=np.uint8)[:, None, None, None] * np.ones((1, 1, 8, 8), np.uint8)
    facts = Facts("dots", (1, 8, 8), 17, (-1.0, 1.0), ["digit"], [["0"]])
    with_images = Findings(findings.results, findings.comparison, RealImages(test, facts, b""))
    panel, without = (decoded(worst.PLOT.render(of, "png"))[..., 0] for of in (with_images, findings))
    assert panel.shape[0] > without.shape[0]
    greys = [round(255 / 16 * shade) for shade in (1, 0, 2, 3)]
    [row] = [line for line in panel if all(grey in line for grey in greys[2:])][:1]
    places = [int(np.flatnonzero(row == grey)[0]) for grey in greys[2:]]
    assert places[0] < places[1]
