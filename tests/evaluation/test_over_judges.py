"""Means over judges of what each of them measured."""

import pytest

from vaeline.evaluation.over_judges import over_judges, together
from vaeline.evaluation.record import Record, parse
from vaeline.system.files import plain_json

ACCURACY = {"definition": "How.", "split": "test", "images": 60}


def record(**entries: object) -> Record:
    return Record({name: dict(entry) for name, entry in entries.items()})  # type: ignore[call-overload]


def test_one_record_is_returned_as_it_is() -> None:
    one = record(condition_accuracy={"value": 0.5, **ACCURACY})
    assert over_judges({"3": one}) is one


def test_numbers_are_averaged_and_the_value_of_each_is_kept() -> None:
    found = over_judges(
        {
            judge: record(
                condition_accuracy={
                    "value": value, **ACCURACY, "judge": f"sha {judge}", "by_label": {"a": value, "b": 0.5}, "halves": [value, 1.0],
                }
            )
            for judge, value in (("0", 0.6), ("7", 0.8))
        }
    ).evaluation["condition_accuracy"]  # fmt: skip
    assert found == {
        "value": pytest.approx(0.7), **ACCURACY, "judge": {"0": "sha 0", "7": "sha 7"}, "by_label": {"a": pytest.approx(0.7), "b": 0.5},
        "halves": [pytest.approx(0.7), 1.0], "by_judge": {"0": 0.6, "7": 0.8},
    }  # fmt: skip


def test_a_metric_that_one_judge_could_not_measure_is_a_dash() -> None:
    good, bad = {"value": 0.5, **ACCURACY}, {"dash": "the classifier was not shown"}
    found = over_judges({"0": record(fd_sample=good), "1": record(fd_sample=bad)}).evaluation
    assert found == {"fd_sample": {"dash": "the classifier of seed 1 was not shown"}}
    found = over_judges({"0": record(fd_sample=bad), "1": record(fd_sample=bad)}).evaluation
    assert found == {"fd_sample": bad}
    found = over_judges({"0": record(fd_sample={"dash": "no rows"}), "1": record(fd_sample=bad)}).evaluation
    assert found["fd_sample"]["dash"] == "the classifier of seed 0: no rows; the classifier of seed 1 was not shown"


def test_what_depends_on_no_judge_is_taken_as_it_is() -> None:
    one = record(precision={"value": 0.5, **ACCURACY})
    assert over_judges({"0": one, "1": one}).evaluation == one.evaluation


def test_the_error_of_a_dash_is_left_out() -> None:
    good, error = ({"value": value, **ACCURACY} for value in (0.5, 0.1))
    both = {"0": record(kd_sample=good, kd_sample_standard_error=error), "1": record(kd_sample={"dash": "no"})}
    for order in (both, dict(reversed(both.items()))):
        assert set(over_judges(order).evaluation) == {"kd_sample"}


def test_warnings_of_judges_are_one_text() -> None:
    entries = [{"value": 1.0, "definition": "How.", "warning": words} for words in ("a", "b")]
    found = over_judges({str(judge): record(fd_sample=entry) for judge, entry in enumerate(entries)})
    assert found.evaluation["fd_sample"]["warning"] == "the classifier of seed 0: a; the classifier of seed 1: b"
    assert parse(plain_json(found.evaluation)).evaluation == found.evaluation


def test_what_one_judge_says_is_not_said_of_all() -> None:
    """Halves of one judge are no deviations of the mean. Labels that any judge leaves out are left out."""
    one = {
        "value": 0.5,
        **ACCURACY,
        "halves": [0.1, 0.2],
        "warning": "few images",
        "unlearned": ["a"],
        "left_out": ["a"],
    }
    two = {"value": 0.7, **ACCURACY, "unlearned": ["a", "b"]}
    found = over_judges({"0": record(fd_sample=one), "1": record(fd_sample=two)}).evaluation["fd_sample"]
    assert found == {
        "value": pytest.approx(0.6), **ACCURACY, "warning": "the classifier of seed 0: few images", "unlearned": ["a", "b"], "left_out": ["a"],
        "by_judge": {"0": 0.5, "1": 0.7},
    }  # fmt: skip


def test_equal_things_are_one_thing() -> None:
    assert together({"0": True, "1": True}) is True
    assert together({"0": True, "1": False}) == {"0": True, "1": False}
    assert together({"0": [1, 2], "1": [1]}) == {"0": [1, 2], "1": [1]}
