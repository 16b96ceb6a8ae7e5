"""The section "Answer": each primary metric in sentences and strips."""

from dataclasses import dataclass

from vaeline.evaluation.catalogue import catalogue
from vaeline.report import answer, table, words
from vaeline.report.comparison import Comparison
from vaeline.report.kept_pairs import ALL_PAIRS
from vaeline.report.sections.section import Section
from vaeline.report.strips import Strips, strips_of


@dataclass(frozen=True)
class Answer:
    """What the study finds in one metric."""

    name: str
    title: str  # the metric in words
    unit: str
    over: str  # what the intervals range over; empty if there are none
    sentences: list[str]
    strips: Strips


@dataclass(frozen=True)
class AnswerSection(Section):
    """What the study finds."""

    id, title, template = "answer", "Answer", "answer.html.j2"

    about: list[str]  # what to know before the answers are read
    answers: list[Answer]
    every_pair: bool  # whether the strips show every two variants
    level: str  # the share of studies that may claim anything false; empty if nothing is claimed


def answer_section(comparison: Comparison) -> AnswerSection:
    """What the study finds."""
    answers = [answer_of(comparison, name) for name in comparison.primary]
    about = answer.about_claims(comparison)
    level = "" if comparison.missing else f"{100 * comparison.level:.3g}%"
    return AnswerSection(about, answers, len(comparison.variants) <= ALL_PAIRS, level)


def answer_of(comparison: Comparison, name: str) -> Answer:
    """What the study finds in one metric."""
    entry, over = catalogue().metric(name), table.over_in_words(comparison.metrics[name])
    sentences, strips = answer.sentences(comparison, name, called="this metric"), strips_of(comparison, name)
    return Answer(name, words.title(entry, name), entry.unit, over, sentences, strips)
