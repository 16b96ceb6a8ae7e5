"""The rate in three weighted parts, one of them the total correlation (beta-TCVAE: Chen et al., 2018a, eq. 2).

log q(z|x) - log p(z) is the sum of log q(z|x) - log q(z), whose mean is the mutual information; log q(z) - sum_j log q(z_j),
the total correlation; and sum_j log q(z_j) - log p(z), which is the dimension-wise KL where p(z) factorizes. q(z), the
aggregate over the training images, is estimated from the batch by stratified sampling (appendix C.2).
"""

from functools import lru_cache

import torch
from pydantic import Field
from torch import Tensor

from vaeline.models.contracts import Context, Regularizer, Terms, TrainingBatch, TrainsPrior
from vaeline.models.gaussian import log_prob_each_dimension
from vaeline.models.latent import GaussianLatent
from vaeline.models.part_checks import require_dimensions, require_gaussian
from vaeline.study.parts import PartOptions
from vaeline.system import ranks


class Options(PartOptions):
    mutual_information: float = Field(1.0, ge=0, description="alpha, the weight of log q(z|x) - log q(z)")
    total_correlation: float = Field(4.0, ge=0, description="beta, the weight of log q(z) - sum_j log q(z_j)")
    dimensions: float = Field(1.0, ge=0, description="gamma, the weight of sum_j log q(z_j) - log p(z)")


def build(options: Options, context: Context) -> "TotalCorrelation":
    """Build the three weighted terms; with weights 1, 1, 1 they sum to log q(z|x) - log p(z), for any prior.

    Raises:
        UserError: the posterior is of another kind than gaussian, or the latent has one dimension.
    """
    require_gaussian(context, f"regularizer {options.name}")
    require_dimensions(context, f"regularizer {options.name}")
    weights = options.mutual_information, options.total_correlation, options.dimensions
    return TotalCorrelation(weights, context.training_images)


class TotalCorrelation(Regularizer):
    def __init__(self, weights: tuple[float, float, float], training_images: int) -> None:
        self.weights = weights
        self.trains_prior: TrainsPrior = "density" if weights[2] > 0 else "nothing"  # the only term with the prior
        self.training_images = training_images

    def __call__(self, batch: TrainingBatch) -> Terms:
        """The weighted terms of each image's sample: nats, (b,) each."""
        latent = batch.latent
        assert isinstance(latent, GaussianLatent)
        mean, log_var = ranks.whole(latent.mean), ranks.whole(latent.log_var)
        # (b, batch, latent): sample, posterior, dimension
        each = log_prob_each_dimension(latent.z.unsqueeze(1), mean, log_var)
        weights = ranks.own(_log_weights(len(mean), self.training_images, mean.device))
        log_q = (weights + each.sum(2)).logsumexp(1)
        log_q_alone = (weights.unsqueeze(2) + each).logsumexp(1).sum(1)
        log_p = batch.prior.log_prob(latent.z, batch.condition)
        alpha, beta, gamma = self.weights
        return Terms(
            {
                "mutual_information": alpha * (latent.log_q - log_q),
                "total_correlation": beta * (log_q - log_q_alone),
                "dimensions": gamma * (log_q_alone - log_p),
            }
        )


@lru_cache(maxsize=4)  # a training has three sizes of batches: whole, last, last in validation
def _log_weights(batch: int, images: int, device: torch.device) -> Tensor:
    return stratified_weights(batch, max(images, batch)).to(device).log()


def stratified_weights(batch: int, images: int) -> Tensor:
    """The weight of posterior n in the estimate of q(z) at sample m, (batch, batch): Chen et al., 2018a, appendix C.2.

    The posterior that a sample was drawn from has the weight 1/N, its share of the aggregate. The M = batch - 1 others have 1/M
    each, except one, whose weight makes the row sum to 1.

    Args:
        batch: images in the batch, M + 1.
        images: of the training split, N, at least as many.
    """
    others = batch - 1
    if not others:
        return torch.ones(1, 1)
    weights = torch.full((batch, batch), 1 / others)
    own = torch.arange(batch)
    weights[own, own] = 1 / images
    weights[own, (own + 1) % batch] = (images - others) / (images * others)
    return weights
