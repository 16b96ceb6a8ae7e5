"""An estimated log-likelihood of each image, with its errors."""

from collections.abc import Sequence
from math import log
from typing import NamedTuple

import torch
from torch import Tensor

from vaeline.models.estimators import pareto_tail


class LogLikelihood(NamedTuple):
    """Estimates of log p(x), (..., images) each, float64, on the CPU. Each is on average below log p(x), by half its variance."""

    log_prob: Tensor  # nats
    tenth: Tensor  # log_prob from every tenth of the samples
    variance: Tensor  # of log_prob over draws of the samples, by the delta method (Owen, 2013, ch. 9): nats^2
    effective_share: Tensor  # (sum w)^2 / (K sum w^2) of the K weights w (Kish, 1965): 1 if all are equal
    pareto_k: Tensor  # of the largest weights

    @classmethod
    def of_weights(cls, log_weights: Tensor) -> "LogLikelihood":
        """The mean of importance weights (Burda et al., 2016, eq. 8).

        Args:
            log_weights: log p(x, z) - log q(z), (samples, ..., images), float64, at least 10 samples.
        """
        samples = len(log_weights)
        log_sum = log_weights.logsumexp(0)
        share = (2 * log_sum - (2 * log_weights).logsumexp(0)).exp() / samples
        some = log_weights[::10]
        variance = ((1 / share - 1) / (samples - 1)).clamp_min(0)
        found = cls(
            log_sum - log(samples), some.logsumexp(0) - log(len(some)), variance, share, pareto_tail.shape(log_weights)
        )
        return cls(*(field.cpu() for field in found))

    @classmethod
    def known(cls, log_prob: Tensor) -> "LogLikelihood":
        """Values without an error."""
        zeros = torch.zeros_like(log_prob)
        return cls(log_prob.clone(), log_prob.clone(), zeros, zeros + 1, zeros - torch.inf)  # which `put` may change

    def at(self, *index: Tensor | slice | int) -> "LogLikelihood":
        """The same for a part, indexed as a tensor of the shape (..., images)."""
        return LogLikelihood(*(field[index] for field in self))

    def put(self, index: tuple[Tensor | slice, ...], found: "LogLikelihood") -> None:
        """Replace a part in place."""
        for field, new in zip(self, found, strict=True):
            field[index] = new


def marginal(given: LogLikelihood, log_prior: Tensor) -> LogLikelihood:
    """Mix estimates of log p(x|y), (..., labels, images), into log p(x) = log sum_y p(y) p(x|y), (..., images).

    Args:
        given: each label from its own samples.
        log_prior: log p(y), (labels,), float64; -inf for a label without images.
    """
    log_prior = log_prior.unsqueeze(1)
    mixed = (log_prior + given.log_prob).logsumexp(-2)
    share = (log_prior + given.log_prob - mixed.unsqueeze(-2)).exp()  # p(y|x), (..., labels, images)
    counts = share > NEGLIGIBLE
    return LogLikelihood(
        mixed,
        (log_prior + given.tenth).logsumexp(-2),
        (share.square() * given.variance).sum(-2),
        (share.square() / given.effective_share).sum(-2).reciprocal().clamp_max(1),
        given.pareto_k.masked_fill(~counts, -torch.inf).amax(-2),
    )


NEGLIGIBLE = 1e-4  # of p(y|x): the estimates of such labels move log p(x) by less than this


def concatenate(parts: Sequence[LogLikelihood]) -> LogLikelihood:
    """Join the estimates of several batches of images."""
    return LogLikelihood(*(torch.cat(field, -1) for field in zip(*parts, strict=True)))
