"""Whether an importance-sampled estimate of log p(x) can be trusted."""

from typing import Protocol

import torch
from torch import Tensor

# The weights have no heavy tail, or half of them count; and about forty count in any case. With a heavier tail, their mean converges too
# slowly for any number of samples that is ever drawn (Vehtari et al., 2024).
MOST_PARETO_K, LEAST_SHARE, MOST_VARIANCE = 0.7, 0.5, 0.02


class Estimates(Protocol):
    """Estimates of log p(x) of each image, (images,), float64."""

    @property
    def log_prob(self) -> Tensor: ...  # nats
    @property
    def tenth(self) -> Tensor: ...  # the same from a tenth of the samples
    @property
    def variance(
        self,
    ) -> Tensor: ...  # of log_prob over draws of the samples: (1 / effective_share - 1) / (samples - 1)
    @property
    def effective_share(self) -> Tensor: ...  # of the samples
    @property
    def pareto_k(self) -> Tensor: ...


def is_trusted(estimates: Estimates) -> Tensor:
    """Which estimates stand by themselves, (images,), bool."""
    tail = (estimates.pareto_k <= MOST_PARETO_K) | (estimates.effective_share >= LEAST_SHARE)
    return tail & (estimates.variance <= MOST_VARIANCE) & estimates.log_prob.isfinite()


def effective_samples(estimates: Estimates) -> Tensor:
    """How many samples count, (images,): the number that has both the share and the variance of an estimate; inf for one without variance."""
    share = estimates.effective_share
    return (share + (1 - share) / estimates.variance).nan_to_num(torch.inf, torch.inf)
