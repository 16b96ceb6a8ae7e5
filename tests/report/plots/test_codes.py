"""Codes of test images as drawn."""

from dataclasses import replace

from tests.made_up import findings_of
from vaeline.report.findings import Findings
from vaeline.report.plots import codes
from vaeline.report.plots.shared.panels import decoded
from vaeline.report.results import Results


def test_a_run_without_codes_is_left_out(findings: Findings) -> None:
    one, two = findings.results.runs
    less = findings_of(Results(findings.results.study, [one, replace(two, drawn={})], {}))
    none = findings_of(Results(findings.results.study, [replace(run, drawn={}) for run in (one, two)], {}))
    shapes = [decoded(codes.PLOT.render(of, "png")).shape for of in (findings, less, none)]
    assert shapes[0][1] > shapes[1][1] and shapes[2][0] < shapes[1][0]


def test_few_values_are_named_with_their_label(findings: Findings) -> None:
    [legend] = codes.draw(findings).legends
    assert [text.get_text() for text in legend.get_texts()] == ["digit: 0", "digit: 1"]
