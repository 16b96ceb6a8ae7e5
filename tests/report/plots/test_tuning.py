"""Score against budget as drawn, and the section of the page about it."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from vaeline.report.findings import Findings
from vaeline.report.plots import tuning
from vaeline.report.plots.shared.contract import RenderedPlots, found
from vaeline.report.sections.tuning import tuning_section
from vaeline.runs.tuning import Choice, Trial

RATE = "training.learning_rate"


def choice(*scores: float | None) -> Choice:
    trials = [
        Trial(trial=number, point={RATE: 0.1 * (number + 1)}, score=score, failed="" if score else "It diverged.")
        for number, score in enumerate(scores)
    ]
    best = min((score, number) for number, score in enumerate(scores) if score is not None)
    return Choice(trials=trials, chosen=best[1])


KL = {"regularizer": {"name": "kl", "weight": 1.0}, "bound": {"name": "evidence_lower_bound"}}
HEAVY = {**KL, "regularizer": {"name": "kl", "weight": 2.0}}
DENSITY, PROBABILITY = "density of pixels", "probability of pixels"


def tuned(
    findings: Findings,
    one: Choice,
    two: Choice,
    measures: tuple[str, ...] = (DENSITY, DENSITY),
    metric: str = "validation_negative_elbo",
    entries: tuple[dict[str, Any], ...] = (KL, KL),
) -> RenderedPlots:
    names = ("one", "two")
    variants = dict(zip(names, entries, strict=True))
    settings = {**findings.results.settings, "tuning": {"metric": metric, "epochs": 4}, "variants": variants}
    results = replace(findings.results, choices={"one": one, "two": two}, settings=settings)
    distortion = findings.comparison.metrics["nll"].model_copy(
        update={"measures": dict(zip(names, measures, strict=False))}
    )
    metrics = {**findings.comparison.metrics, "distortion": distortion}
    comparison = findings.comparison.model_copy(update={"metrics": metrics})
    return RenderedPlots(replace(findings, results=results, comparison=comparison), found())


def test_a_line_is_the_mean_of_the_best_over_all_sets(findings: Findings) -> None:
    drawn = tuning.draw(tuned(findings, choice(1.0, 4.0, 7.0), choice(3.0, None, 5.0)).findings)
    lines = {line.get_label(): line.get_ydata() for line in drawn.axes[0].lines}
    np.testing.assert_allclose(lines["one"], [4.0, 2.0, 1.0])
    np.testing.assert_allclose(lines["two"], [np.nan, 11 / 3, 3.0])


def test_the_section_says_whether_the_order_depends_on_the_budget(findings: Findings) -> None:
    same = tuning_section(tuned(findings, choice(1.0, 2.0, 3.0), choice(4.0, 5.0, 6.0)))
    assert same and same.verdict == (
        "The order of the variants is the same for every number of trials: one, two, from best to worst."
    )
    crossed = tuning_section(tuned(findings, choice(1.0, 9.0, 9.0), choice(4.0, 4.0, 4.0)))
    assert crossed and crossed.verdict == (
        "The order of the variants depends on the number of trials: two, one with the fewest, one, two with all, from best "
        "to worst."
    )


@pytest.mark.parametrize(
    ("given", "compared"),
    [
        ({}, True),
        ({"measures": (DENSITY, PROBABILITY)}, False),
        ({"measures": (DENSITY,)}, False),
        ({"entries": (KL, HEAVY)}, True),
        ({"metric": "validation_objective"}, True),
        ({"metric": "validation_objective", "entries": (KL, HEAVY)}, False),
        ({"metric": "validation_objective", "entries": (KL, {**KL, "bound": {"name": "importance"}})}, False),
    ],
)
def test_variants_whose_scores_are_other_quantities_are_not_ordered(
    findings: Findings, given: dict[str, Any], compared: bool
) -> None:
    section = tuning_section(tuned(findings, choice(1.0, 2.0), choice(4.0, 5.0), **given))
    assert section and bool(section.verdict) == compared


def test_the_section_lists_what_was_chosen_and_what_failed(findings: Findings) -> None:
    section = tuning_section(tuned(findings, choice(1.0, 4.0, 7.0), choice(3.0, None, 5.0)))
    assert section and section.budgets == [1, 2, 3]
    one, two = section.rows
    assert one == ("one", f"{RATE} 0.1", ["4", "2", "1"], 0)
    assert two.best == ["-", "3.667", "3"] and two.failed == 1


@pytest.mark.parametrize("choices", [{}, {"one": Choice(trials=[], chosen=None)}])
def test_a_study_without_tuning_says_so(findings: Findings, choices: dict[str, Choice]) -> None:
    found_now = replace(findings, results=replace(findings.results, choices=choices))
    assert tuning.PLOT.missing(found_now) == "No variant of this study was tuned (tuning.trials)."
    assert tuning_section(RenderedPlots(found_now, found())) is None
