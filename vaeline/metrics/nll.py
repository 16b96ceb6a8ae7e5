"""The negative log-likelihood of images, from estimates of log p(x) by importance sampling (Burda et al., 2016, eq. 8)."""

import warnings
from math import sqrt
from typing import NamedTuple, Protocol

from torch import Tensor

from vaeline.metrics._entry import Metric

METRICS = [
    *(
        Metric(
            f"nll{given}{refit}",
            group="Likelihood",
            meaning=f"negative log-likelihood{words}{', σ refitted' if refit else ''}",
            definition=f"-log p({of}), nats per image{' with the label y' if given else ''}, by importance sampling from q."
            f"{' Sigma is refitted on the training split, the model frozen.' if refit else ''}",
            unit="nats",
            better="lower",
            standard_error="over images",
            companions=(
                (f"nll{given}{refit}_tenth", f"nll{given}{refit} from a tenth of the samples."),
                (f"nll{given}{refit}_hundredth", f"nll{given}{refit} from a hundredth of the samples."),
                (
                    f"nll{given}{refit}_monte_carlo_error",
                    f"Standard error of nll{given}{refit} over draws of the importance samples, by the delta method.",
                ),
            ),
        )
        for given, of, words in (("", "x", ""), ("_given_label", "x|y", " given the label"))
        for refit in ("", "_refit")
    ),
    Metric(
        "effective_sample_size",
        group="The models",
        meaning="importance samples that carry the likelihood",
        definition="(sum w)^2 / sum w^2 of the importance weights w of the likelihood, median over images.",
    ),
]

FEW_SAMPLES = 10  # with fewer effective samples, an estimate is only an upper bound
MOST_FALL = 0.5  # nats; so is an estimate that ten times as many samples lower by more


class Unconverged(UserWarning):
    """An importance-sampled log-likelihood has not converged, so that it is only a bound."""


class Estimates(Protocol):
    """Estimates of log p(x) of each image, (images,), float64."""

    @property
    def log_prob(self) -> Tensor: ...  # nats
    @property
    def tenth(self) -> Tensor: ...  # the same from the first tenth of the samples
    @property
    def hundredth(self) -> Tensor: ...  # and from the first hundredth
    @property
    def variance(self) -> Tensor: ...  # of log_prob over draws of the samples
    @property
    def effective_sample_size(self) -> Tensor: ...


class Summary(NamedTuple):
    """A negative log-likelihood over images, in nats per image."""

    nll: float  # mean
    tenth: float  # mean of the same from a tenth of the samples
    hundredth: float  # and from a hundredth
    standard_error: float  # of the mean, over images
    monte_carlo_error: float  # of the mean, over draws of the importance samples; it does not contain the bias
    effective_sample_size: float  # median

    @property
    def why_upper_bound(self) -> str:
        """Why the value is only an upper bound, which more samples would lower; empty if it has converged."""
        if self.effective_sample_size < FEW_SAMPLES:
            return f"its effective sample size is under {FEW_SAMPLES}"
        if self.tenth - self.nll > MOST_FALL:
            return f"ten times as many samples lowered it by more than {MOST_FALL} nats"
        return ""


def summarize(estimates: Estimates, name: str) -> Summary:
    """Average estimates over images; `name` names the metric in the warning.

    Warns:
        Unconverged: the median effective sample size is below 10, or the estimate still falls.
    """
    images = len(estimates.log_prob)
    summary = Summary(
        nll=-estimates.log_prob.mean().item(),
        tenth=-estimates.tenth.mean().item(),
        hundredth=-estimates.hundredth.mean().item(),
        standard_error=estimates.log_prob.std().item() / sqrt(images),
        monte_carlo_error=estimates.variance.sum().sqrt().item() / images,
        effective_sample_size=estimates.effective_sample_size.median().item(),
    )
    if summary.why_upper_bound:
        warnings.warn(f"{name} is an upper bound: {summary.why_upper_bound}.", Unconverged, stacklevel=2)
    return summary
