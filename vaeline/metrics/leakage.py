"""Latent leaks: what the aggregate posterior holds where the prior hardly samples (Bhalodia et al., 2020, eq. 6)."""

from collections.abc import Sequence
from typing import NamedTuple

from torch import Tensor

THRESHOLDS = (*range(-90, 0, 10), -5, -1)  # of log p(z), in nats


class Leakage(NamedTuple):
    """The samples of the aggregate posterior q whose log p(z) is below a threshold."""

    threshold: float
    leakage: float | None  # their mean log q(z) - log p(z): nats; None, JSON's null, where there is no such sample
    share: float  # of all samples, 0 to 1


def leakage_curve(aggregate_log_q: Tensor, log_p: Tensor, thresholds: Sequence[float] = THRESHOLDS) -> list[Leakage]:
    """E[log q(z) - log p(z) | log p(z) < threshold] over z ~ q, threshold by threshold.

    Args:
        aggregate_log_q: log q(z) at samples of q, (n,), float64.
        log_p: log p(z) at the same, with the Jacobian of a prior that is a flow, (n,).
        thresholds: nats.
    """
    return [_leakage(aggregate_log_q, log_p, threshold) for threshold in thresholds]


def _leakage(aggregate_log_q: Tensor, log_p: Tensor, threshold: float) -> Leakage:
    below = log_p < threshold
    excess = (aggregate_log_q - log_p)[below]
    return Leakage(threshold, excess.mean().item() if len(excess) else None, len(excess) / len(log_p))
