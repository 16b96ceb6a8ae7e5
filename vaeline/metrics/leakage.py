"""Latent leaks: the mass of the aggregate posterior where the prior hardly samples (Bhalodia et al., 2020, eq. 6)."""

from collections.abc import Sequence
from math import sqrt
from typing import NamedTuple

from torch import Tensor

from vaeline.metrics._entry import Metric

METRICS = [
    Metric(
        "leaked_share",
        group="Latent space",
        meaning="share of latents in the outskirts of the prior; 0.01 if both match",
        definition="Share of z ~ q_agg with log p(z) under that of 1% of p's own draws.",
        standard_error="over the samples of q_agg, and over those of p that set what is low",
    ),
    Metric(
        "leakage",
        group="Latent space",
        meaning="excess of the aggregate posterior over the prior in its outskirts",
        definition="Mean of log q_agg(z) - log p(z), nats, over z ~ q_agg with log p(z) under that of 1% of p's own draws.",
        unit="nats",
        standard_error="over the samples of q_agg, and over those of p that set what is low",
    ),
]

OUTSKIRTS = 0.01  # share of p's own draws whose density counts as low, as the entries above say
THRESHOLDS = (*range(-90, 0, 10), -5, -1)  # of log p(z), in nats


class Leakage(NamedTuple):
    """The samples of the aggregate posterior q whose log p(z) is below a threshold."""

    threshold: float
    leakage: float | None  # their mean log q(z) - log p(z): nats; None, JSON's null, where there is no such sample
    share: float  # of all samples, 0 to 1


class Leak(NamedTuple):
    """The samples of q in the outskirts of p, with standard errors; None where too few samples lie there."""

    threshold: float  # of log p(z), nats
    share: float  # of the samples, 0 to 1
    share_error: float
    leakage: float | None  # nats
    leakage_error: float | None


def leak(aggregate_log_q: Tensor, log_p: Tensor, log_p_of_prior: Tensor) -> Leak:
    """Measure the leak below the threshold under which OUTSKIRTS of p's samples lie, with standard errors.

    The threshold is a quantile of samples too. The error of the threshold adds half the change of a metric when the threshold
    moves by one standard error up and down.

    Args:
        aggregate_log_q: log q(z) at samples of q, (n,), float64.
        log_p: log p(z) at the same, (n,).
        log_p_of_prior: log p(z) at samples of p, (m,).
    """
    off = sqrt(OUTSKIRTS * (1 - OUTSKIRTS) / len(log_p_of_prior))
    shares = log_p_of_prior.new_tensor([max(OUTSKIRTS - off, 0), OUTSKIRTS, OUTSKIRTS + off])
    lower, at, upper = leakage_curve(aggregate_log_q, log_p, log_p_of_prior.quantile(shares).tolist())
    share_error = sqrt(at.share * (1 - at.share) / len(log_p) + ((upper.share - lower.share) / 2) ** 2)
    excess = (aggregate_log_q - log_p)[log_p < at.threshold]
    leakage_error = None
    if len(excess) > 1 and at.leakage is not None and upper.leakage is not None:
        below, steps = (at.leakage, 1) if lower.leakage is None else (lower.leakage, 2)
        moved = (upper.leakage - below) / steps
        leakage_error = sqrt(excess.var().item() / len(excess) + moved**2)
    return Leak(at.threshold, at.share, share_error, at.leakage, leakage_error)


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
