"""The section about the tuning on the page."""

from tests.made_up import study
from tests.report.plots.test_tuning import choice, tuned
from vaeline.report.findings import Findings
from vaeline.report.page import compose, render
from vaeline.report.provenance import provenance


def test_the_page_shows_what_was_tuned(findings: Findings) -> None:
    plots = tuned(findings, choice(1.0, 9.0, 9.0), choice(4.0, None, 4.0))
    made_of = provenance(plots.findings.results, None, {})
    page = render(compose(study(("one", "two"), (0,)), plots, made_of))
    section = page[page.index('id="tuning"') :]
    assert "expected of the best of n trials" in section and "training.learning_rate 0.1" in section
    assert [stage.jobs for stage in made_of.stages if stage.name == "trial"] == [6]
