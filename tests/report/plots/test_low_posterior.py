"""Low-posterior samples as drawn."""

from dataclasses import replace

from tests.made_up import findings_of
from vaeline.report.findings import Findings
from vaeline.report.plots import low_posterior
from vaeline.report.plots.shared.panels import WIDEST, decoded
from vaeline.report.results import Results


def test_each_variant_has_two_panels(findings: Findings) -> None:
    titles = [f"{variant}: {kind} posterior" for variant in ("one", "two") for kind in ("low", "high")]
    assert [text.get_text() for text in low_posterior.draw(findings).texts] == titles
    assert decoded(low_posterior.PLOT.render(findings, "png")).shape[1] <= WIDEST + 500


def test_a_prior_whose_samples_do_not_follow_it_has_low_posterior_samples_alone(findings: Findings) -> None:
    runs = [replace(run, failures={"low_posterior": run.failures["low_posterior"]}) for run in findings.results.runs]
    figure = low_posterior.draw(findings_of(Results(findings.results.study, runs, {})))
    assert [text.get_text() for text in figure.texts] == ["one: low posterior", "two: low posterior"]
