"""Claims are adjusted together, and nothing else is called better."""

from pathlib import Path

import pytest

from tests.made_up import study, write_run, write_runs
from vaeline.report import answer, claims, compare, results, strips, table
from vaeline.report.comparison import Comparison
from vaeline.report.sections.answer import answer_section

VALUES = {"one": [1.0, 2.0, 3.0], "two": [4.0, 5.0, 6.3], "three": [4.1, 4.9, 6.3], "four": [4.0, 5.1, 6.2]}


def compared(folder: Path, *variants: str, seeds: tuple[int, ...] = (0, 1, 2), **more: object) -> Comparison:
    return compare.compare(results.read(folder, study(variants or tuple(VALUES), seeds, **more)))


def levels(found: Comparison) -> list[float]:
    return sorted(pair.level for name in found.primary for pair in found.metrics[name].pairs if pair.claimed)


def test_claims_share_the_level(tmp_path: Path) -> None:
    """The interval of the smallest p-value of six leaves 0.05 / 6 outside; those that are rejected next get more."""
    write_runs(tmp_path, VALUES)
    found = compared(tmp_path)
    assert levels(found) == pytest.approx([0.05 / 6, 0.05 / 5, 0.05 / 4, *[0.05 / 3] * 3])
    pairs = found.metrics["nll"].pairs
    assert [pair.significant for pair in pairs] == [(pair.p_value or 0) <= pair.level for pair in pairs]
    first = min(pairs, key=lambda pair: pair.p_value or 0)
    assert first.half_width == pytest.approx(first.estimate.half_width(0.05 / 6))


def test_claims_of_two_metrics_share_the_level(tmp_path: Path) -> None:
    for variant, values in VALUES.items():
        for seed, value in enumerate(values):
            write_run(tmp_path / variant / f"seed-{seed}", {"nll": value, "fd_sample": value, "recall": value})
    found = compared(tmp_path, "two", "three", primary=["fd_sample", "nll"])
    assert found.primary == ["fd_sample", "nll"] and levels(found) == [0.025, 0.025]
    [exploratory] = found.metrics["recall"].pairs
    assert (exploratory.level, exploratory.claimed) == (0.05, False)


def test_a_look_takes_its_part_of_the_level(tmp_path: Path) -> None:
    write_runs(tmp_path, VALUES)
    found = compared(tmp_path, "one", "two", looks=[2, 3, 8])
    assert (found.looks, found.level, levels(found)) == ([2, 3, 8], 0.05 / 3, [pytest.approx(0.05 / 3)])
    assert answer.about_claims(found) == [
        "This is look 2 of 3, which are at 2, 3, 8 seeds: at most 1.67% of studies claim anything false at this look."
    ]
    assert compared(tmp_path, "one", "two").level == claims.LEVEL


def test_pairs_without_the_baseline_get_no_mark(tmp_path: Path) -> None:
    write_runs(tmp_path, {"one": [1.0, 2.0, 3.0], "two": [4.0, 5.0, 6.3], "base": [8.0, 9.1, 10.0]})
    every = compared(tmp_path, "one", "two", "base")
    found = compared(tmp_path, "one", "two", "base", baseline="base")
    assert [cell.mark for cell in table.rows(every)[0].cells] == ["best", "", ""]
    assert [cell.mark for cell in table.rows(found)[0].cells] == ["", "", ""]  # one and two are no claim
    assert levels(found) == [0.025, 0.05]
    decided = [(strip.pair.first, strip.pair.second) for strip in strips.strips_of(found, "nll").better]
    assert decided == [("one", "base"), ("two", "base")]


def test_a_primary_metric_without_values_is_named(tmp_path: Path) -> None:
    write_runs(tmp_path, VALUES)
    found = compared(tmp_path, "one", "two", primary=["nll", "fid_sample"])
    assert (found.primary, found.undecided) == (["nll"], ["fid_sample"])
    assert answer.about_claims(found) == [
        "No two variants have comparable values of fid_sample, so it decides nothing."
    ]
    assert levels(found) == [0.05]


@pytest.mark.parametrize("looks", [None, [3, 4]])
def test_a_report_of_some_runs_claims_nothing(tmp_path: Path, looks: list[int] | None) -> None:
    write_runs(tmp_path, VALUES)
    found = compared(tmp_path, "one", "two", seeds=(0, 1, 2, 3), looks=looks)
    [sentence] = answer.about_claims(found)
    assert sentence == "Runs are missing: what this report says is a preview, and no claim of the study."
    assert not any(pair.claimed for pair in found.metrics["nll"].pairs)
    rows = table.rows(found)
    assert [cell.mark for cell in rows[0].cells] == ["", ""]
    section = answer_section(found)
    assert section.level == ""
    assert not any(each.strips.better for each in section.answers)
    [ahead] = answer.sentences(found, "nll")
    assert ahead.startswith("So far, one is ahead of two by ") and ahead.endswith("which claims nothing.")


def test_a_baseline_that_is_not_ranked_is_named(tmp_path: Path) -> None:
    write_runs(tmp_path, {"one": [1.0, 2.0, 3.0], "base": [8.0, 9.1, 10.0]})
    found = compared(tmp_path, "one", "base", baseline="base")
    found.metrics["nll"].saturated.append("base")
    assert (
        answer.sentences(found, "nll")[-1] == "The baseline base is not ranked in nll, so nothing is compared with it."
    )
