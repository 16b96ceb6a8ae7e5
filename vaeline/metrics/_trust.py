"""Whether an importance-sampled estimate of log p(x) can be trusted."""

from typing import Protocol

from torch import Tensor

# The weights have no heavy tail, or half of them count; and a few count in any case. With a heavier tail, their mean converges too slowly
# for any number of samples that is ever drawn (Vehtari et al., 2024).
MOST_PARETO_K, LEAST_SHARE, LEAST_EFFECTIVE = 0.7, 0.5, 20


class Estimates(Protocol):
    """Estimates of log p(x) of each image, (images,), float64."""

    @property
    def log_prob(self) -> Tensor: ...  # nats
    @property
    def tenth(self) -> Tensor: ...  # the same from a tenth of the samples
    @property
    def variance(self) -> Tensor: ...  # of log_prob over draws of the samples
    @property
    def effective_share(self) -> Tensor: ...  # of the samples
    @property
    def pareto_k(self) -> Tensor: ...


def is_trusted(estimates: Estimates, samples: int) -> Tensor:
    """Which estimates from `samples` draws stand by themselves, (images,), bool."""
    tail = (estimates.pareto_k <= MOST_PARETO_K) | (estimates.effective_share >= LEAST_SHARE)
    return tail & (estimates.effective_share * samples >= LEAST_EFFECTIVE) & estimates.log_prob.isfinite()
