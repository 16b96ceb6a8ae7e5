"""Trade-offs between variants with a known Pareto front."""

from collections.abc import Callable
from typing import Any

import pytest

from vaeline.report import tradeoffs
from vaeline.report.comparison import Summary
from vaeline.report.findings import Findings


def test_a_variant_beaten_in_both_values_is_not_on_the_front() -> None:
    points = {"left": (1.0, 5.0), "low": (4.0, 1.0), "middle": (2.0, 2.0), "beaten": (3.0, 3.0), "level": (2.0, 4.0)}
    assert tradeoffs.front(points) == ["left", "low", "middle"]
    assert tradeoffs.front(points | {"twin": (2.0, 2.0)}) == ["left", "low", "middle", "twin"]
    assert tradeoffs.front({"alone": (9.0, 9.0)}) == ["alone"]


def test_scales_are_the_metrics_that_answer_the_study(traded: Callable[..., Findings]) -> None:
    found = tradeoffs.scales(traded())
    assert {key: scale.metric for key, scale in found.items()} == {
        "likelihood": "nll", "samples": "fd_sample", "parameters": "parameters", "seconds": "seconds",
    }  # fmt: skip
    assert found["likelihood"].summaries["good"].values == {0: 1.0, 1: 1.5}
    assert found["seconds"].summaries["small"].mean == 10.25
    assert found["likelihood"].label == "Negative log-likelihood (nats)"


def test_a_study_without_likelihoods_uses_the_elbo(traded: Callable[..., Findings]) -> None:
    found = tradeoffs.scales(traded({name: {"negative_elbo": 1.0, "fd_sample": 1.0} for name in ("one", "two")}, {}))
    assert {key: scale.metric for key, scale in found.items()} == {
        "likelihood": "negative_elbo",
        "samples": "fd_sample",
    }


def test_a_differently_measured_variant_is_left_out(traded: Callable[..., Findings]) -> None:
    measures = {"small": "density", "good": "probability", "beaten": "density"}
    how = {variant: {"measure": f"{of} of pixels"} for variant, of in measures.items()}
    found = tradeoffs.scales(traded(how=how))
    assert found["likelihood"].summaries.keys() == {"small", "beaten"}
    assert found["samples"].summaries.keys() == {"small", "good", "beaten"}


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (
            ["likelihood", "samples", "parameters", "seconds"],
            [
                [("samples", "likelihood"), ("parameters", "likelihood"), ("seconds", "likelihood")],
                [None, ("parameters", "samples"), ("seconds", "samples")],
            ],
        ),
        (["likelihood", "samples"], [[("samples", "likelihood")]]),
        (["samples", "seconds"], [[("seconds", "samples")]]),
        (["likelihood"], []),
        (["parameters", "seconds"], []),
        ([], []),
    ],
)
def test_a_quality_is_drawn_against_each_scale_after_it(names: list[str], expected: list[Any]) -> None:
    scale = tradeoffs.Scale(
        "", "", dict.fromkeys("ab", Summary(mean=1.0, half_width=None, values={0: 1.0}, over=[])), frozenset()
    )
    assert tradeoffs.panels(dict.fromkeys(names, scale)) == expected


def test_records_have_the_same_keys_for_every_variant(traded: Callable[..., Findings]) -> None:
    rows = tradeoffs.records(traded(seconds={"small": 10.0, "good": 100.0}))
    assert [row["variant"] for row in rows] == ["small", "good", "beaten"]
    assert len({tuple(row) for row in rows}) == 1
    assert [row["seconds"] for row in rows] == [10.25, 100.25, None]
    assert {row["likelihood_metric"] for row in rows} == {"nll"}
    assert rows[0]["unbeaten"] == [
        "likelihood by parameters", "likelihood by seconds", "samples by parameters", "samples by seconds",
    ]  # fmt: skip
    assert len(rows[1]["unbeaten"]) == 5 and not rows[2]["unbeaten"]
