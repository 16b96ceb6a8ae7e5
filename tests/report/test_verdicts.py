"""The verdict on a variant, from those on its runs."""

import pytest

from vaeline.report.verdicts import over_seeds


def entry(verdict: str, in_use: int, cause: str = "") -> dict[str, object]:
    return {"verdict": verdict, "in_use": in_use, "of_units": 8, "unit": "units", "cause": cause}


@pytest.mark.parametrize(
    ("entries", "words"),
    [
        ([entry("collapsed", 0)] * 3, "collapsed"),
        ([entry("in use", 8)], "in use"),
        ([entry("partly", 3)] * 2, "partly (3 of 8 units)"),
        ([entry("partly", 5), entry("partly", 3), entry("partly", 4)], "partly (3 to 5 of 8 units)"),
        ([entry("in use", 8), entry("collapsed", 0), entry("partly", 4)], "collapsed in 1 of 3 seeds"),
        ([entry("in use", 8), entry("partly", 7)], "partly (7 of 8 units) in 1 of 2 seeds"),
    ],
)
def test_the_worst_run_decides(entries: list[dict[str, object]], words: str) -> None:
    found = over_seeds(entries)
    assert found is not None and found.words == words


def test_a_cause_is_named_once() -> None:
    found = over_seeds([entry("collapsed", 0, "the decoder makes no use of z")] * 2)
    assert found is not None and found.evidence == "the decoder makes no use of z, 0 of 8 units in use"


def test_a_metric_without_a_verdict_has_no_words() -> None:
    assert over_seeds([{"value": 1.0}]) is None and over_seeds([]) is None
