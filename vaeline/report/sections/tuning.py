"""The section "Tuning": what was chosen for each variant, and whether the order of the variants depends on the number of trials."""

import math
from dataclasses import dataclass
from typing import NamedTuple

from vaeline.report import table
from vaeline.report.expected_best import expected_best, orders
from vaeline.report.findings import Findings
from vaeline.report.plots.shared.contract import RenderedPlots
from vaeline.report.sections.section import Section
from vaeline.runs.tuning import Choice


class Tuned(NamedTuple):
    """A variant's row."""

    variant: str
    chosen: str  # the values, in words
    best: list[str]  # the expected best score at each budget
    failed: int  # trials that diverged


@dataclass(frozen=True)
class TuningSection(Section):
    """What tuning chose, and score against budget."""

    id, title, template = "tuning", "Tuning", "tuning.html.j2"

    metric: str
    epochs: int
    verdict: str
    budgets: list[int]  # numbers of trials
    rows: list[Tuned]
    plot: bytes  # SVG


def tuning_section(plots: RenderedPlots) -> TuningSection | None:
    """What tuning chose, or None if no variant was tuned."""
    findings = plots.findings
    tuned = findings.results.tuned
    if not tuned:
        return None
    settings = findings.results.settings["tuning"]
    most = max(len(choice.trials) for choice in tuned.values())
    budgets = [2**power for power in range(most.bit_length()) if 2**power < most] + [most]
    return TuningSection(
        metric=settings["metric"],
        epochs=settings["epochs"],
        verdict=_verdict(findings),
        budgets=budgets,
        rows=[_row(variant, choice, budgets) for variant, choice in tuned.items()],
        plot=plots.on_page("tuning"),
    )


def _row(variant: str, choice: Choice, budgets: list[int]) -> Tuned:
    scores = [trial.score for trial in choice.trials]
    curve = expected_best(scores)
    best = [table.number(curve[n - 1]) if n <= len(curve) and math.isfinite(curve[n - 1]) else "-" for n in budgets]
    chosen = ", ".join(f"{key} {value}" for key, value in choice.point.items())
    return Tuned(variant, chosen, best, scores.count(None))


def _verdict(findings: Findings) -> str:
    """Whether the order of the variants is the same for every number of trials; empty if their scores do not compare."""
    tuned = findings.results.tuned
    if not _compare(findings):
        return ""
    found = orders(
        {variant: expected_best([each.score for each in choice.trials]) for variant, choice in tuned.items()}
    )
    if len(tuned) < 2 or not found:
        return ""
    if len(set(found)) == 1:
        return f"The order of the variants is the same for every number of trials: {', '.join(found[0])}, from best to worst."
    return (
        f"The order of the variants depends on the number of trials: {', '.join(found[0])} with the fewest, "
        f"{', '.join(found[-1])} with all, from best to worst."
    )


def _compare(findings: Findings) -> bool:
    """Whether the scores of all tuned variants are of one quantity: none is a density where another is a probability."""
    tuned, settings = findings.results.tuned, findings.results.settings
    distortion = findings.comparison.metrics.get("distortion")
    measures = {distortion.measures.get(variant, "") for variant in tuned} if distortion else {""}
    if len(measures) > 1 or "" in measures:
        return False
    entries = [settings["variants"][variant] for variant in tuned]
    first = entries[0]
    return settings["tuning"]["metric"] != "validation_objective" or all(
        (each["regularizer"], each["bound"]) == (first["regularizer"], first["bound"]) for each in entries
    )
