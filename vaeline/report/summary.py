"""What a study found and what it is made of, as plain text: to paste into a message, a log or an issue."""

from collections.abc import Iterator, Sequence

from vaeline.evaluation.catalogue import catalogue
from vaeline.report.answer import about_claims
from vaeline.report.findings import Findings
from vaeline.report.headline import headlines
from vaeline.report.one_factor import OneFactor
from vaeline.report.results import Results
from vaeline.report.words import amount, counted, listed, named, sizes
from vaeline.study.schema import Study

MOST_EFFECTS = 8  # one-factor comparisons in a summary


def summary(study: Study, findings: Findings, effects: Sequence[OneFactor]) -> str:
    """The question, the answer in each primary metric, what single parts do, and what the study is made of.

    Args:
        study: whose runs they are.
        findings: of the study.
        effects: its one-factor comparisons.
    """
    comparison = findings.comparison
    answers = [sentence for name in comparison.primary for sentence in headlines(comparison, name)]
    said = [sentence for effect in effects[:MOST_EFFECTS] for sentence in sentences_of(effect)]
    lines = [*about_claims(comparison), *answers, *said, f"{'; '.join(facts_of(study, findings.results))}."]
    head = f"{comparison.study}: {study.study.question}" if study.study.question else comparison.study
    return "\n".join([head, *(f"- {line}" for line in lines)])


def sentences_of(effect: OneFactor) -> Iterator[str]:
    """What a change of one part does to each primary metric, of the changes that the study claims."""
    for name, found in effect.effects.items():
        if found.pair and not found.why_open:
            metric = catalogue().metric(name)
            does = "improves" if found.better else "worsens"
            by = amount(metric, found.pair)
            yield (
                f"{effect.part}: {effect.to} instead of {effect.instead_of} {does} {named(metric, name)} by {by} "
                f"({effect.changed}, {effect.original})."
            )


def facts_of(study: Study, results: Results) -> list[str]:
    """What the study is made of: variants, seeds, runs, data with their size, date and hardware as far as they were recorded."""
    planned, there = len(study.study.variants) * len(study.study.seeds), len(results.runs)
    counts = results.runs[0].facts.counts if results.runs else {}
    shape = study.dataset.shape
    data = f"{study.dataset.id}: images of {shape[1]}×{shape[0]} pixels" if shape else f"{study.dataset.id}: points"
    return [
        f"{counted(len(study.study.variants), 'variant')}, each trained from {counted(len(study.study.seeds), 'seed')}",
        *([f"{there} of {planned} runs complete"] if there < planned else []),
        f"{data}, {sizes(counts)}" if counts else data,
        *_recorded(results),
    ]


def _recorded(results: Results) -> list[str]:
    """When and on what the runs were trained, from their notes."""
    notes = [run.times["train"] for run in results.runs if "train" in run.times]
    days = sorted({note.finished for note in notes if note.finished})
    machines = sorted({note.hardware for note in notes if note.hardware})
    span = " to ".join(dict.fromkeys([*days[:1], *days[-1:]]))
    return [*([f"trained {span}"] if days else []), *([f"on {listed(machines)}"] if machines else [])]
