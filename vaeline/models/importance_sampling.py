"""Log-likelihoods of images by importance sampling (Burda et al., 2016, eq. 8), with their errors (Owen, 2013, ch. 9)."""

from collections.abc import Callable, Sequence
from functools import reduce
from math import log
from typing import NamedTuple

import torch
from torch import Tensor

Draw = Callable[[int], tuple[Tensor, Tensor]]
LogJoint = Callable[[Tensor], Tensor]


class LogLikelihood(NamedTuple):
    """Estimates of log p(x), (..., images) each, float64, on the CPU."""

    log_prob: Tensor  # nats
    tenth: Tensor  # log_prob from the first tenth of the samples; far from log_prob, neither has converged
    hundredth: Tensor  # log_prob from the first hundredth, at least one sample
    variance: Tensor  # of log_prob over draws of the samples, by the delta method: nats^2
    effective_sample_size: Tensor  # (sum w)^2 / sum w^2 of the weights w (Kish, 1965)


def log_likelihood(draw: Draw, log_joint: LogJoint, samples: int, block: int) -> LogLikelihood:
    """Estimate log p(x) = log E_q[p(x, z) / q(z)] for a batch of images, in memory that does not grow with `samples`.

    Args:
        draw: count -> (z, log q(z)) with count samples for each image: z is (count * images, latent), log_q is
            (count * images,), the image varying fastest.
        log_joint: z -> log p(x, z), (..., count * images); leading dimensions are several densities, estimated
            from the same samples.
        samples: of q for each image, at least 10.
        block: samples of each image in memory at a time.

    Returns:
        Estimates, (..., images). Each is on average below log p(x), by half its variance.
    """
    tenth, hundredth = samples // 10, max(1, samples // 100)
    first = _log_sums(draw, log_joint, hundredth, block)
    some = first if tenth == hundredth else torch.logaddexp(first, _log_sums(draw, log_joint, tenth - hundredth, block))
    log_sum, log_sum_squares = torch.logaddexp(some, _log_sums(draw, log_joint, samples - tenth, block))
    effective = (2 * log_sum - log_sum_squares).exp()
    variance = ((samples / effective - 1) / (samples - 1)).clamp_min(0)
    return LogLikelihood(log_sum - log(samples), some[0] - log(tenth), first[0] - log(hundredth), variance, effective)


def marginal(given: Sequence[LogLikelihood], log_prior: Tensor) -> LogLikelihood:
    """Mix the estimates of log p(x|y), one for each y, into log p(x) = log sum_y p(y) p(x|y).

    Args:
        given: (..., images) for each y, each from its own samples.
        log_prior: log p(y), (labels,), float64; -inf for a label without images.
    """
    log_prob, tenth, hundredth, variance, effective = (torch.stack(field, -1) for field in zip(*given, strict=True))
    mixed = (log_prior + log_prob).logsumexp(-1)
    share_squared = (2 * (log_prior + log_prob - mixed.unsqueeze(-1))).exp()  # p(y|x)^2, (..., images, labels)
    return LogLikelihood(
        mixed,
        (log_prior + tenth).logsumexp(-1),
        (log_prior + hundredth).logsumexp(-1),
        (share_squared * variance).sum(-1),
        (share_squared / effective).sum(-1).reciprocal(),
    )


def concatenate(parts: Sequence[LogLikelihood]) -> LogLikelihood:
    """Join the estimates of several batches of images."""
    return LogLikelihood(*(torch.cat(field, -1) for field in zip(*parts, strict=True)))


def _log_sums(draw: Draw, log_joint: LogJoint, samples: int, block: int) -> Tensor:
    """Logarithms of the sums of the weights and of their squares, (2, ..., images)."""
    counts = [min(block, samples - start) for start in range(0, samples, block)]
    return reduce(torch.logaddexp, (_log_sums_of_block(draw, log_joint, count) for count in counts))


def _log_sums_of_block(draw: Draw, log_joint: LogJoint, count: int) -> Tensor:
    z, log_q = draw(count)
    # float32 has no digits after the point at 20,000 nats; not every accelerator has float64.
    log_weights = log_joint(z).cpu().double() - log_q.cpu().double()
    log_weights = log_weights.unflatten(-1, (count, -1))  # (..., count, images)
    return torch.stack([log_weights.logsumexp(-2), (2 * log_weights).logsumexp(-2)])
