"""The symmetric divergence (Jeffreys, 1946) of aggregate posterior and prior: their mismatch, pockets and leaks alike."""

from math import sqrt
from typing import NamedTuple

from torch import Tensor

from vaeline.metrics._entry import Metric

METRICS = [
    Metric(
        "skl",
        group="Latent space",
        meaning="mismatch of aggregate posterior and prior, both ways",
        definition="KL(q_agg || p) + KL(p || q_agg) in z, nats, q_agg over the split; p is the mean of p(z|y) over the labels of the split "
        "if the prior is conditional.",
        unit="nats",
        better="lower",
        needs_information=True,
        standard_error="over its samples",
    )
]


class SymmetricKL(NamedTuple):
    """KL(q || p) + KL(p || q) of aggregate posterior q and prior p, in nats."""

    skl: float
    standard_error: float  # of skl, over the samples of both
    aggregate_to_prior: float  # KL(q || p), which leaks make large
    prior_to_aggregate: float  # KL(p || q), which pockets make large


def symmetric_kl(
    aggregate_log_q_of_q: Tensor, log_p_of_q: Tensor, aggregate_log_q_of_p: Tensor, log_p_of_p: Tensor
) -> SymmetricKL:
    """Estimate both divergences from independent samples; each may fall below 0 by chance.

    Args:
        aggregate_log_q_of_q: log q(z) at samples of q, (n,), float64.
        log_p_of_q: log p(z) at the same, (n,).
        aggregate_log_q_of_p: log q(z) at samples of p, (m,), float64.
        log_p_of_p: log p(z) at the same, (m,).
    """
    in_q = aggregate_log_q_of_q - log_p_of_q
    in_p = log_p_of_p - aggregate_log_q_of_p
    variance = in_q.var() / len(in_q) + in_p.var() / len(in_p)
    halves = in_q.mean().item(), in_p.mean().item()
    return SymmetricKL(sum(halves), sqrt(variance.item()), *halves)
