"""The shape of the tail of importance weights, which says whether their mean can be believed (Vehtari et al., 2024)."""

from math import ceil, sqrt

import torch
from torch import Tensor


def shape(log_weights: Tensor) -> Tensor:
    """Pareto's k of the largest weights of each image (Zhang and Stephens, 2009, with the prior of Vehtari et al.).

    Args:
        log_weights: (samples, ...), float64, at least 10 samples; -inf where a weight is 0.

    Returns:
        k, (...). The weights have a mean for k under 1 and a variance for k under 0.5. It is -inf where the largest weights are all
        equal, and inf where fewer than five are above 0.
    """
    samples = len(log_weights)
    count = ceil(min(0.2 * samples, 3 * sqrt(samples)))
    largest = log_weights.topk(count + 1, 0).values
    weights = (largest - largest[:1]).exp()  # the largest weight is 1
    excess = (weights[:-1] - weights[-1:]).flip(0)  # ascending
    k = _fit(excess.flatten(1)).view(excess.shape[1:])
    k = torch.where(excess[-1] > 0, k, -torch.inf)
    return torch.where(log_weights.isfinite().sum(0) < 5, torch.inf, k)


def _fit(excess: Tensor) -> Tensor:
    """Shape of a generalised Pareto distribution: ascending excesses (n, images) to (images,)."""
    n = len(excess)
    points = 30 + int(sqrt(n))
    at = torch.arange(1, points + 1, dtype=excess.dtype, device=excess.device).unsqueeze(1)
    quartile = excess[max(0, int(n / 4 + 0.5) - 1)].clamp_min(torch.finfo(excess.dtype).tiny)
    largest = excess[-1].clamp_min(torch.finfo(excess.dtype).tiny)
    theta = 1 / largest + (1 - (points / (at - 0.5)).sqrt()) / (3 * quartile)  # (points, images)
    each = _shape_at(theta, excess)
    log_likelihood = n * ((-theta / each).log() - each - 1)
    theta = (log_likelihood.softmax(0) * theta).sum(0, keepdim=True)
    k = _shape_at(theta, excess).squeeze(0)
    return (k * n + 5) / (n + 10)  # towards 0.5, as ten more excesses would


def _shape_at(theta: Tensor, excess: Tensor) -> Tensor:
    return torch.stack([torch.log1p(-each * excess).mean(0) for each in theta])
