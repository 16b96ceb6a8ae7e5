"""The section "Answer": who is best in what, and each question's metric in sentences and strips."""

from dataclasses import dataclass

from vaeline.evaluation.catalogue import catalogue
from vaeline.report import answer, table
from vaeline.report.comparison import Comparison
from vaeline.report.kept_pairs import ALL_PAIRS
from vaeline.report.sections.section import Section
from vaeline.report.strips import Strips, strips_of


@dataclass(frozen=True)
class Answer:
    """What the study finds in one metric."""

    name: str
    meaning: str
    unit: str
    over: str  # what the intervals range over; empty if there are none
    sentences: list[str]
    strips: Strips


@dataclass(frozen=True)
class AnswerSection(Section):
    """What the study finds."""

    id, title, template = "answer", "Answer", "answer.html.j2"

    best: dict[str, dict[str, str]]  # variant -> metrics in which it is better than every other -> their meaning
    about: list[str]  # what to know before the answers are read
    answers: list[Answer]
    every_pair: bool  # whether the strips show every two variants
    level: str  # the share of studies that may claim anything false; empty if nothing is claimed


def answer_section(comparison: Comparison, rows: list[table.Row]) -> AnswerSection:
    """What the study finds.

    Args:
        comparison: of the study.
        rows: the table of results.
    """
    answers = [answer_of(comparison, name) for name in comparison.primary]
    about = answer.about_claims(comparison)
    level = "" if comparison.missing else f"{100 * comparison.level:.3g}%"
    return AnswerSection(_best(comparison.variants, rows), about, answers, len(comparison.variants) <= ALL_PAIRS, level)


def answer_of(comparison: Comparison, name: str) -> Answer:
    """What the study finds in one metric."""
    entry, over = catalogue().metric(name), table.over_in_words(comparison.metrics[name])
    return Answer(
        name, entry.meaning, entry.unit, over, answer.sentences(comparison, name), strips_of(comparison, name)
    )


def _best(variants: list[str], rows: list[table.Row]) -> dict[str, dict[str, str]]:
    """The metrics in which a variant is significantly better than every other; the variant with most of them is first."""
    best = {
        variant: {row.name: row.metric.meaning for row in rows if row.cells[column].mark == "best"}
        for column, variant in enumerate(variants)
    }
    return {variant: best[variant] for variant in sorted(best, key=lambda each: -len(best[each])) if best[variant]}
