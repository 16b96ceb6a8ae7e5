"""The answer of a study is written from paired comparisons."""

from pathlib import Path

import pytest

from tests.made_up import described, references, study, write_run, write_runs
from vaeline.report import answer, compare, results, table
from vaeline.report.comparison import Comparison


def compared(
    folder: Path,
    *variants: str,
    seeds: tuple[int, ...] = (0, 1, 2),
    scale: dict[str, float] | None = None,
    **more: object,
) -> Comparison:
    return compare.compare(results.read(folder, study(variants, seeds, **more), reference=references(scale or {})))


def test_a_significant_difference_has_its_interval(tmp_path: Path) -> None:
    write_runs(tmp_path, {"one": [1.0, 2.0, 3.0], "two": [4.0, 5.0, 6.3]})
    assert answer.sentences(compared(tmp_path, "one", "two"), "nll") == [
        "one is better than two by 3.10 ± 0.43 nats in nll, on 3 of 3 seeds."
    ]


def test_an_interval_that_includes_0_is_not_significant(tmp_path: Path) -> None:
    write_runs(tmp_path, {"one": [1.0, 2.0, 3.0], "two": [0.0, 5.0, 6.0]}, "fd_sample")
    [sentence] = answer.sentences(compared(tmp_path, "one", "two"), "fd_sample")
    assert (
        sentence
        == "one and two are not significantly different in fd_sample: the interval of their difference, 1.7 ± 5.7, includes 0 (one is better on 2 of 3 seeds). 3 seeds find a difference of 7.5 in 4 of 5 studies."
    )


def test_variants_are_ranked_each_against_the_next(tmp_path: Path) -> None:
    write_runs(
        tmp_path, {"low": [0.1, 0.1, 0.1], "high": [0.9, 0.9, 0.9], "middle": [0.5, 0.5, 0.5]}, "condition_accuracy"
    )
    sentences = answer.sentences(compared(tmp_path, "low", "high", "middle"), "condition_accuracy")
    assert [sentence.split(" by ")[0] for sentence in sentences] == [
        "high is better than middle",
        "middle is better than low",
    ]


def test_one_seed_gives_no_verdict(tmp_path: Path) -> None:
    write_runs(tmp_path, {"one": [5.0], "two": [1.0]})
    [sentence] = answer.sentences(compared(tmp_path, "one", "two", seeds=(0,)), "nll")
    assert sentence == "One seed gives no interval and no verdict. In order of nll, best first: two 1, one 5."


def test_saturated_metrics_of_one_seed_rank_nothing(tmp_path: Path) -> None:
    for variant in ("one", "two"):
        write_run(tmp_path / variant / "seed-0", {"skl": 5.0}, {"skl": {"saturated": True}})
    assert answer.sentences(compared(tmp_path, "one", "two", seeds=(0,)), "skl") == [
        "one, two cannot be ranked in skl, which is saturated."
    ]


BOUND = {"nll": {"upper_bound": "its effective sample size is under 10"}}


def test_an_upper_bound_does_not_measure_a_difference(tmp_path: Path) -> None:
    for seed, (first, second) in enumerate(((1.0, 4.0), (2.0, 5.0), (3.0, 6.3))):
        write_run(tmp_path / "one" / f"seed-{seed}", {"nll": first})
        write_run(tmp_path / "two" / f"seed-{seed}", {"nll": second}, BOUND)
        write_run(tmp_path / "three" / f"seed-{seed}", {"nll": second + 1}, BOUND)
    of_one, of_two = answer.sentences(compared(tmp_path, "one", "two", "three"), "nll")
    assert of_one == (
        "one is 3.10 ± 0.62 nats below the upper bound of two in nll, on 3 of 3 seeds. "
        "The true value of two may be lower than its bound."
    )  # the interval is that of one of three comparisons
    assert of_two.startswith("two is better than three by 1 nats in nll on each of the 3 seeds, to the last digit")
    assert [cell.mark for cell in table.rows(compared(tmp_path, "one", "two", "three"))[0].cells] == ["", "", ""]


@pytest.mark.parametrize("seeds", [(0,), (0, 1, 2)])
def test_equal_values_are_not_better_by_0(seeds: tuple[int, ...], tmp_path: Path) -> None:
    for seed in seeds:
        for variant in ("one", "two"):
            write_run(tmp_path / variant / f"seed-{seed}", {"nll": 1.0 + seed})
        write_run(tmp_path / "three" / f"seed-{seed}", {"nll": 9.0 + seed * seed})
    told = answer.sentences(compared(tmp_path, "one", "two", "three", seeds=seeds), "nll")
    assert "better than two" not in " ".join(told)
    assert len(seeds) == 1 or told[0] == "one and two have the same value of nll on every seed."


def test_an_upper_bound_below_a_known_value_is_better(tmp_path: Path) -> None:
    for seed, (first, second) in enumerate(((1.0, 4.0), (2.0, 5.0), (3.0, 6.3))):
        write_run(tmp_path / "one" / f"seed-{seed}", {"nll": first}, BOUND)
        write_run(tmp_path / "two" / f"seed-{seed}", {"nll": second})
    found = compared(tmp_path, "one", "two")
    assert answer.sentences(found, "nll") == ["one is better than two by 3.10 ± 0.43 nats in nll, on 3 of 3 seeds."]
    assert [cell.mark for cell in table.rows(found)[0].cells] == ["best", ""]


def test_saturated_variants_are_named_and_not_ranked(tmp_path: Path) -> None:
    for seed in range(3):
        write_run(tmp_path / "one" / f"seed-{seed}", {"skl": 1.0 + seed}, {"skl": {"saturated": True}})
        write_run(tmp_path / "two" / f"seed-{seed}", {"skl": 2.0 + seed})
        write_run(tmp_path / "three" / f"seed-{seed}", {"skl": 4.0 + 2 * seed})
    found = compared(tmp_path, "one", "two", "three", primary=["skl"])
    saturated, ranked = answer.sentences(found, "skl")
    assert saturated == "one cannot be ranked in skl, which is saturated."
    assert ranked.startswith("two and three are not significantly different in skl") or ranked.startswith(
        "two is better than three"
    )
    assert [cell.mark for cell in table.rows(found)[0].cells] == ["", "", ""]


def test_variants_past_the_ceiling_are_named_and_not_ranked(tmp_path: Path) -> None:
    for seed in range(3):
        for variant, value in (("one", 1.0), ("two", 0.8), ("three", 0.5)):
            write_run(tmp_path / variant / f"seed-{seed}", {"condition_accuracy": value + 0.01 * seed})
    found = compared(tmp_path, "one", "two", "three", scale={"condition_accuracy_ceiling": 0.95})
    past, ranked = answer.sentences(found, "condition_accuracy")
    assert (
        past == "These variants score better than real images, 0.9500, in condition_accuracy, and are not ranked: one."
    )
    assert ranked.startswith("two is better than three by 0.3")


def test_each_measure_has_its_own_ranking(tmp_path: Path) -> None:
    measures = {"one": "density of pixels", "two": "probability of pixels", "three": "density of pixels"}
    for index, (variant, measure) in enumerate(measures.items()):
        for seed in range(2):
            values = {"nll": {"measure": measure}}
            write_run(tmp_path / variant / f"seed-{seed}", {"nll": (10.0 + 0.1 * seed) * index}, values)
    found = compared(tmp_path, "one", "two", "three", seeds=(0, 1))
    assert answer.sentences(found, "nll") == ["one is better than three by 20.1 ± 1.3 nats in nll, on 2 of 2 seeds."]


def test_a_kernel_distance_replaces_a_biased_frechet_distance(tmp_path: Path) -> None:
    for variant in ("one", "two"):
        how = {"fd_sample": {"warning": "biased upwards"}}
        write_run(tmp_path / variant / "seed-0", {"fd_sample": 1.0, "kd_sample": 2.0, "fd_reconstruction": 3.0}, how)
    found = compared(tmp_path, "one", "two", seeds=(0,))
    assert found.primary == ["kd_sample"]


def test_shared_seeds_decide_which_variant_is_better(tmp_path: Path) -> None:
    write_runs(tmp_path, {"one": [9.0, 9.1, -90.0], "two": [1.0, 1.1]})  # one has the lower mean
    [sentence] = answer.sentences(compared(tmp_path, "one", "two"), "nll")
    assert sentence.startswith("two is better than one by 8")


def test_variants_without_a_common_seed_are_not_compared(tmp_path: Path) -> None:
    write_run(tmp_path / "one" / "seed-0", {"nll": 1.0})
    write_run(tmp_path / "two" / "seed-1", {"nll": 2.0})
    assert answer.sentences(compared(tmp_path, "one", "two"), "nll") == [
        "one and two share no seed, so they are not compared in nll."
    ]


def test_the_likelihood_that_answers_is_one_all_variants_have(tmp_path: Path) -> None:
    write_run(tmp_path / "one" / "seed-0", {"nll_given_label": 1.0, "nll": 1.0, "negative_elbo": 1.0})
    write_run(tmp_path / "two" / "seed-0", {"nll": 2.0, "negative_elbo": 2.0, "fd_sample": 3.0})
    assert compared(tmp_path, "one", "two", seeds=(0,)).primary == ["nll"]


def test_with_a_baseline_each_other_variant_is_compared_with_it(tmp_path: Path) -> None:
    write_runs(tmp_path, {"one": [1.0, 2.0, 3.0], "two": [4.0, 5.0, 6.3], "base": [8.0, 9.1, 10.0]})
    found = compare.compare(results.read(tmp_path, study(("one", "two", "base"), (0, 1, 2), baseline="base")))
    assert [sentence.split(" by ")[0] for sentence in answer.sentences(found, "nll")] == [
        "one is better than base",
        "two is better than base",
    ]
    claimed = [(pair.first, pair.second) for pair in found.metrics["nll"].pairs if pair.claimed]
    assert claimed == [("one", "base"), ("two", "base")]


def test_a_variant_that_a_metric_only_describes_is_named_and_not_ranked(tmp_path: Path) -> None:
    described(tmp_path)
    found = compared(tmp_path, "one", "two", "three", primary=["fd_low_posterior"])
    first, *others = answer.sentences(found, "fd_low_posterior")
    assert first == "one is not ranked in fd_low_posterior: the posterior has collapsed."
    assert len(others) == 1 and others[0].startswith("two is better than three by")
