"""A classifier that learned nothing is called out, and what depends on it is left out."""

import warnings

import numpy as np
import pytest

from vaeline.evaluation.conditions import Accuracies, put_accuracy
from vaeline.evaluation.record import Record
from vaeline.evaluation.skill import LabelSkill, LearnedNothing, Skill, skill_of

GOOD, BAD = LabelSkill(0.9, 0.5, 0.0005), LabelSkill(0.3, 0.3, 0.6)


def recorded(skill: Skill, by_label: dict[str, float]) -> dict[str, object]:
    record = Record()
    put_accuracy(record, "condition_accuracy", Accuracies(by_label), ["digit=7"], skill, skill.unlearned)
    return {key: value for key, value in record.evaluation["condition_accuracy"].items() if key != "definition"}


def test_a_classifier_that_learned_nothing_gives_a_dash_with_the_reason() -> None:
    assert recorded(Skill(20, {"digit": BAD}), {"digit": 0.3}) == {
        "dash": "the classifier was not shown to be better than chance on 20 validation images (digit 0.30 where chance is 0.30)"
    }


def test_labels_that_were_not_learned_are_left_out_by_name() -> None:
    found = recorded(Skill(20, {"a": GOOD, "b": BAD, "c": GOOD}), {"a": 0.8, "b": 0.1, "c": 0.6})
    assert found == {
        "value": pytest.approx(0.7), "by_label": {"a": 0.8, "c": 0.6}, "left_out": ["digit=7", "b"], "unlearned": ["b"],
    }  # fmt: skip


def test_nothing_is_left_out_of_a_good_classifier() -> None:
    assert recorded(Skill(20, {"digit": GOOD}), {"digit": 0.8}) == {"value": 0.8, "left_out": ["digit=7"]}


def test_nothing_counts_as_learned_that_was_not_tested() -> None:
    why = "the classifier was not shown to be better than chance on 0 validation images (no label was tested)"
    assert recorded(Skill(0, {}), {"digit": 0.8}) == {"dash": why}
    found = recorded(Skill(20, {"a": GOOD}), {"a": 0.8, "b": 0.9})
    assert (found["value"], found["unlearned"]) == (0.8, ["b"])


def test_a_label_that_alone_varies_but_was_not_learned_gives_a_dash() -> None:
    assert recorded(Skill(20, {"a": GOOD, "b": BAD}), {"b": 0.4}) == {
        "dash": "the classifier was not shown to be better than chance on b"
    }


def test_a_classifier_says_at_once_what_it_did_not_learn() -> None:
    with pytest.warns(LearnedNothing, match=r"digit 0\.30 where chance is 0\.30.*raise classifier\.epochs"):
        Skill(20, {"digit": BAD}).warn()
    with pytest.warns(LearnedNothing, match=r"leaves out: b 0\.30 where chance is 0\.30; raise"):
        Skill(20, {"a": GOOD, "b": BAD}).warn()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        Skill(20, {"a": GOOD}).warn()


@pytest.mark.parametrize(
    ("skill", "facts"),
    [
        (Skill(20, {"digit": BAD}), r"20 validation images \(digit 0\.30 where chance is 0\.30\)"),
        (
            Skill(9, {"digit": None}),
            r"9 validation images \(digit was not tested \(fewer than two values have images\)\)",
        ),
        (Skill(0, {}), r"0 validation images \(no label was tested\)"),
    ],
)
def test_a_warning_about_all_labels_is_one_plain_sentence(skill: Skill, facts: str) -> None:
    shown = rf"^The classifier was not shown to be better than chance on {facts}; condition_accuracy and all "
    with pytest.warns(LearnedNothing, match=shown):
        skill.warn()


def test_a_sentence_names_eight_labels_at_most() -> None:
    many = Skill(20, {f"label_{index}": BAD for index in range(1000)})
    assert len(many.why_nothing) < 500 and many.why_nothing.endswith("992 more)")


def test_labels_are_tested_on_validation_images() -> None:
    labels = np.random.default_rng(0).integers(0, 2, (60, 3))
    predicted = labels.copy()
    predicted[:, 1], labels[:, 2] = 1, 0
    found = skill_of(predicted, labels, ["a", "b", "c"], 0)
    assert found.images == 60 and found.unlearned == ["b", "c"] and found.why_nothing == ""
    assert found.labels["c"] is None and found.labels["a"] == LabelSkill(
        pytest.approx(1), pytest.approx(0.5, abs=0.02), 1 / 2000
    )
