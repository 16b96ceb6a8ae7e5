"""The answer in one sentence for each primary metric."""

from pathlib import Path

import pytest

from tests.made_up import references, study, write_run, write_runs
from vaeline.report import compare, results
from vaeline.report.comparison import Comparison
from vaeline.report.headline import headlines

CLEAR = {"one": [1.0, 2.0, 3.0], "two": [4.0, 5.0, 6.3], "three": [8.0, 9.1, 10.0]}
TIED = {"one": [1.0, 2.0, 3.0], "two": [1.1, 1.9, 3.2], "three": [8.0, 9.1, 10.0]}


def compared(folder: Path, values: dict[str, list[float]], **options: object) -> Comparison:
    write_runs(folder, values)
    seeds = tuple(range(len(values["one"])))
    return compare.compare(results.read(folder, study(tuple(values), seeds, **options)))


def test_the_best_variant_improves_the_metric_by_an_amount(tmp_path: Path) -> None:
    [sentence] = headlines(compared(tmp_path, CLEAR), "nll")
    assert sentence.startswith(
        "one improves the negative log-likelihood by 3.10 ± 0.43 nats over the next best, two (better"
    )
    assert sentence.endswith("(better on 3 of 3 seeds).")


def test_variants_that_cannot_be_told_apart_share_the_answer(tmp_path: Path) -> None:
    [sentence] = headlines(compared(tmp_path, TIED), "nll")
    assert sentence.startswith(
        "one has the best mean in the negative log-likelihood, and two is not significantly different from it; it improves on three by 7."
    )


def test_a_variant_that_is_better_than_real_images_is_not_the_answer(tmp_path: Path) -> None:
    for variant, value in (("one", 1.0), ("two", 5.0), ("three", 9.0)):
        for seed in range(3):
            write_run(tmp_path / variant / f"seed-{seed}", {"fd_sample": value + seed / 10 + seed * value / 50})
    found = results.read(tmp_path, study(("one", "two", "three")), reference=references({"fd_floor": 3.0}))
    [sentence] = headlines(compare.compare(found), "fd_sample")
    assert sentence.endswith("(own features): one is better than real images, which ranks nothing.")


def test_with_a_baseline_each_variant_is_held_against_it(tmp_path: Path) -> None:
    [sentence] = headlines(compared(tmp_path, TIED, baseline="two"), "nll")
    assert sentence.startswith("Compared with the baseline two, three (by 6.97 ± 0.75 nats)")
    assert "makes the negative log-likelihood worse; one cannot be told from it." in sentence


def test_one_seed_gives_no_verdict(tmp_path: Path) -> None:
    [sentence] = headlines(compared(tmp_path, {"one": [1.0], "two": [2.0]}), "nll")
    assert sentence == "One seed gives no verdict: so far, one (1) has the best mean in the negative log-likelihood."


@pytest.mark.parametrize("bound", ["one", "two"])
def test_a_bound_is_never_called_worse(tmp_path: Path, bound: str) -> None:
    for variant, mean in (("one", 1.0), ("two", 5.0)):
        how = {"nll": {"upper_bound": "too few samples"}} if variant == bound else {}
        for seed in range(3):
            write_run(tmp_path / variant / f"seed-{seed}", {"nll": mean + seed / 10 + seed * mean / 50}, how)
    [sentence] = headlines(compare.compare(results.read(tmp_path, study())), "nll")
    assert sentence.startswith("one improves") if bound == "one" else "the value of two is an upper bound" in sentence


def test_a_preview_claims_nothing(tmp_path: Path) -> None:
    write_runs(tmp_path, {"one": [1.0, 2.0, 3.0], "two": [4.0, 5.0]})
    [sentence] = headlines(compare.compare(results.read(tmp_path, study())), "nll")
    assert sentence == "No variant is called best in the negative log-likelihood: runs are missing."
