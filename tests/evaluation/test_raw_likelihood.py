"""Estimation in stages: what each adds, and that a killed one goes on where it was and ends in the numbers it would have had."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.evaluation.test_likelihood import FACTS, SETTINGS, TEST, TRAIN, LinearGaussian, dequantized
from vaeline.data.batches import Batches
from vaeline.evaluation import raw_likelihood
from vaeline.evaluation.kept import Kept
from vaeline.evaluation.likelihood import measure_likelihood
from vaeline.evaluation.raw_likelihood import Estimated, Estimation
from vaeline.metrics import _trust
from vaeline.study.schema import Evaluation, LikelihoodEstimate


class Killed(BaseException):
    """Stands for the end of the process."""


def killed_after(calls: int, function: Callable[..., Any]) -> Callable[..., Any]:
    """The same function, until it has been called so many times."""
    made: list[int] = []

    def killed(*arguments: object) -> object:
        if len(made) == calls:
            raise Killed
        made.append(1)
        return function(*arguments)

    return killed


AMPLE = SETTINGS.model_copy(update={"likelihood": SETTINGS.likelihood.model_copy(update={"budget": 100_000})})
STAGES = [("around_modes", 5, 2), ("annealed", 3, 2), ("gaps", 1, 0)]  # calls of a whole estimation, and before a kill


@pytest.mark.parametrize(("stage", "calls", "before"), STAGES)
def test_a_killed_estimation_goes_on_to_the_same_numbers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stage: str, calls: int, before: int
) -> None:
    train, test = (Batches(split, FACTS, 16) for split in (TRAIN, TEST))
    model = LinearGaussian(conditional=False).eval()
    monkeypatch.setattr(raw_likelihood, "MOST_AT_A_TIME", 32)
    monkeypatch.setattr(raw_likelihood, "HELD_TOGETHER", 1)
    whole = measure_likelihood(model, train, test, AMPLE)
    kept, function = Kept(tmp_path), getattr(raw_likelihood, stage)
    monkeypatch.setattr(raw_likelihood, "KEEP_EVERY", 0.0)
    monkeypatch.setattr(raw_likelihood, stage, killed_after(before, function))
    with pytest.raises(Killed):
        measure_likelihood(model, train, test, AMPLE, kept)
    torch.manual_seed(99)
    monkeypatch.setattr(raw_likelihood, stage, killed_after(calls - before, function))  # no more than are left
    assert measure_likelihood(model, train, test, AMPLE, kept).evaluation == whole.evaluation
    monkeypatch.setattr(raw_likelihood, stage, killed_after(0, function))  # none: all of them are kept
    assert measure_likelihood(model, train, test, AMPLE, kept).evaluation == whole.evaluation


def estimated(settings: Evaluation, conditional: bool = True) -> tuple[Estimation, Estimated]:
    train, test = (Batches(split, FACTS, 32) for split in (TRAIN, TEST))
    model = LinearGaussian(conditional=conditional).eval()
    estimation = Estimation(model, train, test, settings, 0, Kept())
    return estimation, estimation.estimated(model.likelihood, "own")


@pytest.mark.parametrize("conditional", [True, False])
def test_both_estimators_and_both_bounds_agree_with_the_truth(conditional: bool) -> None:
    estimation, found = estimated(AMPLE, conditional)
    x, labels = dequantized(TEST)
    model = estimation.model
    name = "nll_given_label" if conditional else "nll"
    known = model.log_prob(x, labels, 0.5).detach().double()
    sampled = estimation.by_name(found.given, torch.arange(len(x)))[name].log_prob
    annealed = estimation.by_name(found.annealed, found.bridged)[name].log_prob
    torch.testing.assert_close(sampled, known, atol=0.03, rtol=0)
    torch.testing.assert_close(annealed, known[found.bridged], atol=0.2, rtol=0)
    assert 32 <= len(found.bridged) <= len(found.gaps) == raw_likelihood.CHECKED
    assert found.gaps.mean().abs() < 0.01


def test_images_that_are_not_trusted_are_annealed_as_far_as_the_budget_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(raw_likelihood, "CHECKED", 4)
    monkeypatch.setattr(raw_likelihood, "FIRST_ANNEALED", 2)
    monkeypatch.setattr(_trust, "MOST_VARIANCE", 0.0)  # which no image reaches
    counts = {}
    for budget in (0, 200, 100_000):
        settings = SETTINGS.model_copy(update={"likelihood": LikelihoodEstimate(samples=400, budget=budget)})
        _, found = estimated(settings, conditional=False)
        counts[budget] = len(found.bridged)
        assert len(found.bridged.unique()) == len(found.bridged)
    assert counts[0] == 0 < counts[200] < counts[100_000] == len(TEST.images)


def test_estimates_from_the_posterior_are_neither_annealed_nor_drawn() -> None:
    settings = SETTINGS.model_copy(update={"likelihood": LikelihoodEstimate(method="posterior", samples=50)})
    _, found = estimated(settings)
    assert not len(found.bridged) and not len(found.gaps) and found.why_no_gap == "it is sampled from q(z|x)"
    assert found.given.log_prob.shape == (3, len(TEST.images))
