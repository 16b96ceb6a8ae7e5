"""A killed estimation goes on where it was, and ends in the numbers it would have had."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from tests.evaluation.test_likelihood import FACTS, SETTINGS, TEST, TRAIN, LinearGaussian
from vaeline.data.batches import Batches
from vaeline.evaluation import raw_likelihood
from vaeline.evaluation.kept import Kept
from vaeline.evaluation.likelihood import measure_likelihood
from vaeline.models.importance_sampling import LogLikelihood


class Killed(BaseException):
    """Stands for the end of the process."""


def killed_after(
    batches: int, estimate: Callable[..., dict[str, LogLikelihood]]
) -> Callable[..., dict[str, LogLikelihood]]:
    """The same function, until it has been called so many times."""
    calls: list[int] = []

    def killed(*arguments: object) -> dict[str, LogLikelihood]:
        if len(calls) == batches:
            raise Killed
        calls.append(1)
        return estimate(*arguments)

    return killed


@pytest.mark.filterwarnings("ignore::vaeline.metrics.nll.Unconverged")
def test_a_killed_estimation_goes_on_to_the_same_numbers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    train, test = (Batches(split, FACTS, 16) for split in (TRAIN, TEST))
    model, settings = LinearGaussian(conditional=False).eval(), SETTINGS
    whole = measure_likelihood(model, train, test, settings)
    kept, estimate = Kept(tmp_path), raw_likelihood.estimate
    monkeypatch.setattr(raw_likelihood, "KEEP_EVERY", 0.0)
    monkeypatch.setattr(raw_likelihood, "estimate", killed_after(2, estimate))
    with pytest.raises(Killed):
        measure_likelihood(model, train, test, settings, kept)
    torch.manual_seed(99)
    left = -(-len(test.images) // test.batch_size) - 2
    monkeypatch.setattr(raw_likelihood, "estimate", killed_after(left, estimate))  # no more than are left
    assert measure_likelihood(model, train, test, settings, kept).evaluation == whole.evaluation
    monkeypatch.setattr(raw_likelihood, "estimate", killed_after(0, estimate))  # none: all of them are kept
    assert measure_likelihood(model, train, test, settings, kept).evaluation == whole.evaluation
