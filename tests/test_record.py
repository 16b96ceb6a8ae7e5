"""A record holds finite figures and dashes with reasons."""

import math

from vaeline.record import Record


def test_a_figure_stands_beside_its_definition() -> None:
    record = Record()
    record.put("rate", 2.5, "KL.", images=3)
    assert record.metrics == {"rate": 2.5}
    assert record.evaluation == {"rate": {"definition": "KL.", "images": 3}}


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
    assert record.evaluation["rate"] == {"definition": "KL.", "split": "test", "split_sha256": "ab12", "seed": 7}
    assert record.evaluation["parameters"] == {"definition": "Numbers."}
