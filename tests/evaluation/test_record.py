"""A record contains finite metrics, and dashes with reasons."""

import json
import math

import pytest

from vaeline.evaluation.catalogue import catalogue
from vaeline.evaluation.record import Record, parse
from vaeline.metrics._images import Dash, Measured
from vaeline.system.errors import UserError

RATE = catalogue().definition("rate")


def test_a_metric_stands_beside_its_definition() -> None:
    record = Record()
    record.put("rate", 2.5, images=3)
    assert record.metrics == {"rate": 2.5}
    assert record.evaluation == {"rate": {"value": 2.5, "definition": RATE, "images": 3}}


def test_a_metric_that_no_file_declares_is_not_recorded() -> None:
    with pytest.raises(KeyError):
        Record().put("rates", 2.5)


def test_a_metric_that_is_not_finite_becomes_a_dash() -> None:
    record = Record()
    for name, value in {"rate": math.nan, "nll": -math.inf}.items():
        record.put(name, value)
    assert record.metrics == {}
    assert record.evaluation == {"rate": {"dash": "it came out as nan"}, "nll": {"dash": "it came out as -inf"}}


def test_a_result_brings_its_error_and_a_dash_its_reason() -> None:
    record = Record()
    record.put_result("kd_sample", Measured(0.5, {"images": 3}, 0.1), split="test")
    record.put_result("kid_sample", Dash("too few"))
    record.put_result("precision", 0.75)
    assert record.metrics == {"kd_sample": 0.5, "kd_sample_standard_error": 0.1, "precision": 0.75}
    assert record.evaluation["kd_sample"]["images"] == 3 and record.evaluation["kd_sample"]["split"] == "test"
    assert record.evaluation["kid_sample"] == {"dash": "too few"}


def test_records_can_be_joined() -> None:
    record, other = Record(), Record()
    record.put("rate", 1.0)
    other.dash("mig", "none")
    record.join(other)
    assert set(record.metrics) == {"rate"}
    assert set(record.evaluation) == {"rate", "mig"}


def test_a_metric_of_a_split_names_its_bytes_and_its_seed() -> None:
    record = Record(checksums={"test": "ab12"}, seed=7)
    record.put("rate", 2.5, split="test")
    record.put("parameters", 3)
    expected = {"value": 2.5, "definition": RATE, "split": "test", "split_sha256": "ab12", "seed": 7}
    assert record.evaluation["rate"] == expected
    assert record.evaluation["parameters"] == {"value": 3, "definition": catalogue().definition("parameters")}


def test_a_metric_is_measured_once() -> None:
    record, other = Record(), Record()
    record.put("rate", 1.0)
    other.put("rate", 2.0)
    with pytest.raises(UserError, match="rate would be measured twice"):
        record.join(other)


def test_a_written_file_reads_back_equal() -> None:
    record = Record()
    record.put("nll", 1.5, images=3, by_label={"x": math.nan}, effective_sample_size=4.0, curve=[{"share": 0.5}])
    record.dash("b", "none")
    assert parse(json.dumps(record.evaluation)).evaluation == record.evaluation


@pytest.mark.parametrize(
    "entry",
    [
        "NaN",
        "{}",
        '{"value": NaN, "definition": "A."}',
        '{"value": true, "definition": "A."}',
        '{"value": "1", "definition": "A."}',
        '{"value": 1}',
        '{"value": 1, "definition": "A.", "dash": "none"}',
        '{"value": 1, "definition": "A.", "effective_sample_size": "many"}',
        '{"value": 1, "definition": "A.", "left_out": 5}',
        '{"dash": 1}',
        '{"value": 1' + "0" * 400 + ', "definition": "A."}',
        "[" * 100_000,
    ],
)
def test_an_invalid_evaluation_entry_is_refused(entry: str) -> None:
    with pytest.raises(ValueError):
        parse(f'{{"a": {entry}}}')
