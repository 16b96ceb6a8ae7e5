"""Sentences made of paired comparisons."""

from pathlib import Path

from tests.made_up import study, write_run, write_runs
from vaeline import answer, comparison, results
from vaeline.comparison import Comparison


def compared(folder: Path, *variants: str, seeds: tuple[int, ...] = (0, 1, 2)) -> Comparison:
    return comparison.compare(results.read(folder, study(variants, seeds)))


def test_a_difference_that_is_apart_is_said_with_its_interval(tmp_path: Path) -> None:
    write_runs(tmp_path, {"one": [1.0, 2.0, 3.0], "two": [4.0, 5.0, 6.3]})
    assert answer.sentences(compared(tmp_path, "one", "two"), "nll") == [
        "one is better than two by 3.10 ± 0.43 nats in nll, 3 of 3 seeds."
    ]


def test_an_interval_that_holds_0_is_called_so(tmp_path: Path) -> None:
    write_runs(tmp_path, {"one": [1.0, 2.0, 3.0], "two": [0.0, 5.0, 6.0]}, "fd_sample")
    [sentence] = answer.sentences(compared(tmp_path, "one", "two"), "fd_sample")
    assert (
        sentence
        == "one and two are not apart in fd_sample: the interval of their difference, 1.7 ± 5.7, holds 0 (one better in 2 of 3 seeds)."
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
    assert sentence == "two came out better than one by 4 nats in nll, on one seed: no interval, no verdict."


def test_the_seeds_they_share_decide_which_is_better(tmp_path: Path) -> None:
    write_runs(tmp_path, {"one": [9.0, 9.1, -90.0], "two": [1.0, 1.1]})  # one has the lower mean
    [sentence] = answer.sentences(compared(tmp_path, "one", "two"), "nll")
    assert sentence.startswith("two is better than one by 8")


def test_variants_without_a_common_seed_are_not_compared(tmp_path: Path) -> None:
    write_run(tmp_path / "one" / "seed-0", {"nll": 1.0})
    write_run(tmp_path / "two" / "seed-1", {"nll": 2.0})
    assert answer.sentences(compared(tmp_path, "one", "two"), "nll") == [
        "one and two share no seed, so they are not compared in nll."
    ]


def test_the_likelihood_spoken_of_is_one_that_all_variants_have(tmp_path: Path) -> None:
    write_run(tmp_path / "one" / "seed-0", {"nll_given_label": 1.0, "nll": 1.0, "negative_elbo": 1.0})
    write_run(tmp_path / "two" / "seed-0", {"nll": 2.0, "negative_elbo": 2.0, "fd_sample": 3.0})
    assert answer.figures(compared(tmp_path, "one", "two", seeds=(0,))) == ["nll"]
