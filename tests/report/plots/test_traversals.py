"""Traversals as drawn."""

from dataclasses import replace

import numpy as np

from tests.made_up import findings_of
from vaeline.report.findings import Findings
from vaeline.report.plots import traversals
from vaeline.report.plots.shared.panels import decoded
from vaeline.report.results import Results, Run


def pixels(findings: Findings, run: Run) -> np.ndarray:
    """The plot of a study that has this run alone."""
    alone = findings.results.study.model_copy(update={"variants": [run.variant]})
    return decoded(traversals.PLOT.render(findings_of(Results(alone, [run], {})), "png"))


def test_a_traversal_is_a_row_of_nine(findings: Findings) -> None:
    found = pixels(findings, findings.results.runs[0])
    assert found.shape[1] > 9 * 48 and found.shape[0] < 4 * 48


def test_a_traversal_keeps_its_brightness(findings: Findings) -> None:
    run = findings.results.runs[0]
    dim = replace(run, drawn={**run.drawn, "traversals": np.full_like(run.drawn["traversals"], 4)})
    found = pixels(findings, dim)[..., 0]
    assert (found == round(4 * 255 / 16)).sum() > found.size / 3 and not (found == 4).any()
