"""Metrics of the match of aggregate posterior and prior rank nothing where latents say too little."""

from math import log

import pytest

from vaeline.evaluation.pockets import describe_without_pockets
from vaeline.evaluation.record import Record

NEED = {"skl", "fd_low_posterior", "kd_low_posterior"}


@pytest.mark.parametrize(
    ("information", "verdict", "described"),
    [(0.0, "collapsed", NEED), (0.69, "partly", NEED), (log(2), "partly", set()), (4.0, "in use", set()), (2.3, "collapsed", NEED)],
)  # fmt: skip
def test_they_are_described_below_one_bit_and_after_a_collapse(
    information: float, verdict: str, described: set[str]
) -> None:
    record = Record()
    record.put("mutual_information", information)
    record.put("posterior", 0.5, verdict=verdict)
    for name in (*NEED, "fd_sample", "nll"):
        record.put(name, 1.0)
    describe_without_pockets(record)
    assert {name for name, how in record.evaluation.items() if "descriptive" in how} == described


def test_a_dash_stays_a_dash() -> None:
    record = Record()
    record.put("mutual_information", 0.0)
    record.dash("skl", "the prior has no density")
    describe_without_pockets(record)
    assert record.evaluation["skl"] == {"dash": "the prior has no density"}
