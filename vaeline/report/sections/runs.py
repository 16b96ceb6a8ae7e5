"""The section "Runs": what each run measured, and how long its steps took."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from vaeline.report import table
from vaeline.report.findings import Findings
from vaeline.report.provenance import duration
from vaeline.report.results import Run
from vaeline.report.sections.section import Section
from vaeline.study.step_settings import OF_RUN


class RunCell(NamedTuple):
    """A number of a run."""

    text: str
    value: float | None  # to sort by; None if the run has no such number


@dataclass(frozen=True)
class RunRow:
    """A run."""

    variant: str
    seed: int
    epochs: int
    metrics: list[RunCell]
    seconds: list[RunCell]


@dataclass(frozen=True)
class RunsSection(Section):
    """Every run that the study names."""

    id, title, template = "runs", "Runs", "runs.html.j2"

    metrics: list[str]  # columns
    steps: list[str]  # columns
    rows: list[RunRow]
    missing: Mapping[tuple[str, int], str]  # (variant, seed) -> "trained, not sampled"


def runs_section(findings: Findings, metrics: list[str]) -> RunsSection:
    """Every run that the study names.

    Args:
        findings: of the study.
        metrics: those that the table shows.
    """
    runs = findings.results.runs
    steps = [step for step in OF_RUN if any(step in run.seconds for run in runs)]
    rows = [_row(findings, run, metrics, steps) for run in runs]
    return RunsSection(metrics, steps, rows, findings.results.missing)


def _row(findings: Findings, run: Run, metrics: list[str], steps: list[str]) -> RunRow:
    return RunRow(
        variant=run.variant,
        seed=run.seed,
        epochs=len(run.training["epoch"]),
        metrics=[_metric(findings, run, name) for name in metrics],
        seconds=[_seconds(run, step) for step in steps],
    )


def _metric(findings: Findings, run: Run, name: str) -> RunCell:
    """A metric of a run, with as many digits as the mean over seeds."""
    value = run.metrics.get(name)
    if value is None:
        return RunCell("-", None)
    summary = findings.comparison.metrics[name].summaries.get(run.variant)
    return RunCell(table.number(value, summary.half_width if summary else None), value)


def _seconds(run: Run, step: str) -> RunCell:
    value = run.seconds.get(step)
    return RunCell("-", None) if value is None else RunCell(duration(value), value)
