"""Studies of equal variants seldom claim a difference, through the whole comparison of the report."""

import numpy as np
import pytest

from benchmarks.false_claims import MOST_FALSE, covered, false, false_at_looks
from benchmarks.made_up_studies import DISTANCE, LIKELIHOOD, Setting, claimed, dealt, study
from vaeline.report import compare

STUDIES = 1000


@pytest.mark.parametrize(
    ("variants", "seeds", "better", "studies"),
    [(2, 3, False, STUDIES), (2, 5, False, STUDIES), (3, 3, False, 700), (6, 5, False, 200), (4, 5, True, 300)],
)
def test_equal_variants_seldom_get_a_claim(variants: int, seeds: int, better: bool, studies: int) -> None:
    generator = np.random.default_rng([variants, seeds])
    share = sum(false(variants, seeds, better, generator) for _ in range(studies)) / studies
    assert 0.005 <= share <= MOST_FALSE  # a report that claims nothing would be useless


def test_declared_looks_share_what_one_look_may_err() -> None:
    found = {}
    for declared in (True, False):
        generator = np.random.default_rng(0)
        found[declared] = sum(false_at_looks(2, declared, generator) for _ in range(500)) / 500
    assert found[True] <= MOST_FALSE < found[False]


def test_real_differences_are_claimed() -> None:
    found = claimed(study(4, 5, Setting(0.5, unequal=False, better=True), np.random.default_rng(0)))
    assert set(found) == {("name_0", f"name_{place}") for place in (1, 2, 3)}


def test_a_deal_takes_each_run_at_most_once() -> None:
    generator = np.random.default_rng(0)
    runs = study(1, 13, Setting(0.5, unequal=False), generator).runs
    found = dealt(runs, 3, 4, generator)
    assert sorted((run.variant, run.seed) for run in found.runs) == [
        (f"name_{place}", seed) for place in range(3) for seed in range(4)
    ]
    values = [run.metrics[LIKELIHOOD] for run in found.runs]
    assert len(set(values)) == 12 and set(values) < {run.metrics[LIKELIHOOD] for run in runs}


def test_a_made_up_study_has_both_kinds_of_metrics() -> None:
    found = compare.compare(study(3, 4, Setting(0.5, unequal=True), np.random.default_rng(0)))
    assert found.primary == [LIKELIHOOD, DISTANCE]
    assert all(results.summaries["name_2"].half_width for results in found.metrics.values())
    assert sum(pair.claimed for results in found.metrics.values() for pair in results.pairs) == 6


@pytest.mark.parametrize("skewed", [False, True], ids=["normal", "skewed"])
@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_intervals_hold_the_truth(share: float, skewed: bool) -> None:
    held = covered(3, share, skewed, STUDIES, np.random.default_rng(7))
    assert 0.93 <= held <= 0.97
