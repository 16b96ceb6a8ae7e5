"""Condition accuracy by attribute as drawn."""

from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from tests.made_up import findings_of, study, write_run
from vaeline.evaluation.record import Record
from vaeline.report import results
from vaeline.report.findings import Findings
from vaeline.report.plots import by_attribute
from vaeline.report.plots.shared import rendering


@pytest.fixture
def found(tmp_path: Path) -> Findings:
    for seed in range(2):
        accuracy = {"value": 0.5, "by_label": {"Male": 0.5 + seed / 4, "a $ and <b>": 0.25}}
        write_run(tmp_path / "one" / f"seed-{seed}", {"condition_accuracy": 0.5}, {"condition_accuracy": accuracy})
        write_run(tmp_path / "two" / f"seed-{seed}", {"nll": 1.0})
    return findings_of(results.read(tmp_path, study(seeds=(0, 1))))


def test_the_most_accurate_attribute_is_on_top(found: Findings) -> None:
    accuracies = by_attribute.accuracies(found.results, "condition_accuracy")
    assert accuracies == {"Male": {"one": 0.625}, "a $ and <b>": {"one": 0.25}}
    [axes] = by_attribute.draw(found).axes
    assert [tick.get_text() for tick in axes.get_yticklabels()] == ["a $ and <b>", "Male"]


def test_a_tick_marks_real_images(found: Findings) -> None:
    ceiling = Record({"condition_accuracy_ceiling": {"value": 0.9, "by_label": {"Male": 0.875}}})
    [axes] = by_attribute.draw(findings_of(replace(found.results, reference=ceiling))).axes
    assert [list(line.get_xdata()) for line in axes.lines if line.get_marker() == "|"] == [[0.875]]


def test_names_of_attributes_are_shown_as_they_are(found: Findings) -> None:
    drawing = rendering.svg_for_page(partial(by_attribute.draw, found)).decode()
    assert "a $ and &lt;b&gt;" in drawing and "<b>" not in drawing
