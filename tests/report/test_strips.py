"""Paired comparisons as places on a line."""

from pathlib import Path

import pytest

from tests.made_up import described, study, write_run, write_runs
from vaeline.report import compare, results, table
from vaeline.report.strips import _ticks, strips_of


def test_a_strip_holds_zero_every_seed_and_the_interval(tmp_path: Path) -> None:
    write_runs(tmp_path, {"one": [1.0, 2.0, 3.0], "two": [4.0, 5.0, 6.3]})
    found = strips_of(compare.compare(results.read(tmp_path, study())), "nll")
    [strip] = found.better
    assert (strip.pair.first, strip.by) == ("one", "3.10 ± 0.43")
    assert (strip.zero, strip.high) == (6, 94)  # from 0 to 3.1 + 0.43, a margin at either end
    assert strip.mean == pytest.approx(6 + 88 * 3.1 / 3.5303, abs=0.01)
    assert strip.seeds == pytest.approx([6 + 88 * value / 3.5303 for value in (3, 3, 3.3)], abs=0.01)
    assert [tick.label for tick in strip.ticks] == ["0", "2"]
    assert [tick.place for tick in strip.ticks] == pytest.approx([6, 6 + 88 * 2 / 3.5303], abs=0.01)


def test_every_strip_has_its_own_scale(tmp_path: Path) -> None:
    write_runs(tmp_path, {"one": [1.0, 1.1], "two": [1.01, 1.13], "far": [900.0, 950.0]})
    found = strips_of(compare.compare(results.read(tmp_path, study(("one", "two", "far"), (0, 1)))), "nll")
    ends = {(strip.pair.first, strip.pair.second): strip.ticks[-1].label for group in found for strip in group}
    assert abs(float(ends["one", "two"])) < 1 < 100 < float(ends["one", "far"].replace(",", ""))


@pytest.mark.parametrize(
    ("low", "high", "labels"),
    [(0.0, 0.0, ["0"]), (-1.0, 3.2, ["0", "2"]), (0.0, 2900.0, ["0", "1,000", "2,000"]), (-0.02, 0.01, ["-0.02", "0"])],
)
def test_ticks_are_round_and_have_zero(low: float, high: float, labels: list[str]) -> None:
    assert [label for _, label in _ticks(low, high)] == labels


def test_a_comparison_with_a_saturated_value_decides_nothing(tmp_path: Path) -> None:
    for seed in range(3):
        write_run(tmp_path / "one" / f"seed-{seed}", {"skl": 1.0 + seed / 10})
        write_run(tmp_path / "two" / f"seed-{seed}", {"skl": 9.0 + seed / 5}, {"skl": {"saturated": True}})
    [strip] = strips_of(compare.compare(results.read(tmp_path, study())), "skl").unranked
    assert strip.pair.significant and strip.why_open == "the value of two is saturated"


@pytest.mark.parametrize("primary", [True, False])
def test_a_variant_whose_value_failed_on_a_seed_is_compared_with_none(tmp_path: Path, primary: bool) -> None:
    """The seed that is missing may be the worst, so that the others say too much."""
    for seed in range(5):
        left = {} if seed == 4 else {"nll": 1.0 + seed / 100}
        write_run(tmp_path / "one" / f"seed-{seed}", left)
        write_run(tmp_path / "two" / f"seed-{seed}", {"nll": 1.5 + seed / 99})
        write_run(tmp_path / "three" / f"seed-{seed}", {"nll": 3.0 + seed / 98})
    of = study(("one", "two", "three"), range(5), primary=["nll"] if primary else ["rate"])
    found = compare.compare(results.read(tmp_path, of))
    assert found.metrics["nll"].descriptive == {"one": "there is no value for seed 4"}
    assert [(pair.first, pair.second, pair.claimed) for pair in found.metrics["nll"].pairs] == [
        ("two", "three", primary)
    ]


def test_seeds_that_agree_decide_nothing(tmp_path: Path) -> None:
    write_runs(tmp_path, {"one": [0.3] * 3, "two": [0.4] * 3})
    found = compare.compare(results.read(tmp_path, study()))
    [strip] = strips_of(found, "nll").undecided
    assert "to the last digit" in strip.why_open and not strip.pair.significant
    assert [cell.mark for cell in table.rows(found)[0].cells] == ["", ""]


def test_variants_that_a_metric_only_describes_are_compared_with_none(tmp_path: Path) -> None:
    described(tmp_path)
    found = compare.compare(results.read(tmp_path, study(("one", "two", "three"), primary=["fd_low_posterior"])))
    [strip] = strips_of(found, "fd_low_posterior").better
    assert (strip.pair.first, strip.pair.second) == ("two", "three")
    [pair] = found.metrics["fd_low_posterior"].pairs
    assert pair.claimed and pair.level == 0.05  # it is the study's only claim
