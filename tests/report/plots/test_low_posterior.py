"""Low-posterior samples as drawn."""

from dataclasses import replace

from tests.made_up import findings_of
from vaeline.report.findings import Findings
from vaeline.report.plots import low_posterior
from vaeline.report.plots.shared.panels import SMALLEST, WIDEST, decoded
from vaeline.report.results import Results


def test_variants_are_side_by_side_with_a_row_for_each_kind(findings: Findings) -> None:
    figure = low_posterior.draw(findings)
    assert [text.get_text() for text in figure.texts] == ["one", "two"]
    assert decoded(low_posterior.PLOT.render(findings, "png")).shape[1] <= WIDEST / SMALLEST


def test_a_prior_whose_samples_do_not_follow_it_has_low_posterior_samples_alone(findings: Findings) -> None:
    runs = [replace(run, failures={"low_posterior": run.failures["low_posterior"]}) for run in findings.results.runs]
    figure = low_posterior.draw(findings_of(Results(findings.results.study, runs, {})))
    both = low_posterior.draw(findings)
    assert 2 * figure.images[0].get_size()[0] < both.images[0].get_size()[0]
