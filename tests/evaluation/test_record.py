"""A record holds finite figures and dashes with reasons."""

import json
import math

import pytest

from vaeline.evaluation.record import Record, parse
from vaeline.system.errors import UserError


def test_a_figure_stands_beside_its_definition() -> None:
    record = Record()
    record.put("rate", 2.5, "KL.", images=3)
    assert record.metrics == {"rate": 2.5}
    assert record.evaluation == {"rate": {"value": 2.5, "definition": "KL.", "images": 3}}


def test_a_figure_that_is_not_finite_becomes_a_dash() -> None:
    record = Record()
    for name, value in {"a": math.nan, "b": -math.inf}.items():
        record.put(name, value, "?")
    assert record.metrics == {}
    assert record.evaluation == {"a": {"dash": "it came out as nan"}, "b": {"dash": "it came out as -inf"}}


def test_records_join() -> None:
    record, other = Record(), Record()
    record.put("a", 1.0, "A.")
    other.dash("b", "none")
    record.join(other)
    assert set(record.metrics) == {"a"}
    assert set(record.evaluation) == {"a", "b"}


def test_a_figure_of_a_split_says_of_which_bytes_and_with_which_seed() -> None:
    record = Record(checksums={"test": "ab12"}, seed=7)
    record.put("rate", 2.5, "KL.", split="test")
    record.put("parameters", 3, "Numbers.")
    expected = {"value": 2.5, "definition": "KL.", "split": "test", "split_sha256": "ab12", "seed": 7}
    assert record.evaluation["rate"] == expected
    assert record.evaluation["parameters"] == {"value": 3, "definition": "Numbers."}


def test_a_figure_is_measured_once() -> None:
    record, other = Record(), Record()
    record.put("a", 1.0, "A.")
    other.put("a", 2.0, "A.")
    with pytest.raises(UserError, match="a would be measured twice"):
        record.join(other)


def test_what_is_written_is_read_back() -> None:
    record = Record()
    record.put("a", 1.5, "A.", images=3, by_label={"x": math.nan}, effective_sample_size=4.0, curve=[{"share": 0.5}])
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
def test_what_is_no_account_of_a_figure_is_refused(entry: str) -> None:
    with pytest.raises(ValueError):
        parse(f'{{"a": {entry}}}')
