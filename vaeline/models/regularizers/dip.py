"""The rate, and a penalty that draws a covariance of z to the identity (DIP-VAE: Kumar et al., 2018, eqs. 5 to 7).

DIP-VAE-I takes the covariance of the posterior means over images; DIP-VAE-II takes that of the aggregate posterior, which is the former
plus the mean of the posteriors' own variances. Covariances are those of the batch.
"""

from typing import Literal

import torch
from pydantic import Field
from torch import Tensor

from vaeline.models.contracts import Context, Regularizer, Terms, TrainingBatch, TrainsPrior
from vaeline.models.latent import GaussianLatent
from vaeline.models.part_checks import require_dimensions, require_gaussian
from vaeline.study.parts import PartOptions
from vaeline.system import ranks


class Options(PartOptions):
    covariance: Literal["means", "aggregate"] = Field(
        "means", description="of the posterior means, as in DIP-VAE-I, or of the aggregate posterior, as in DIP-VAE-II"
    )
    off_diagonal: float = Field(10.0, ge=0, description="lambda_od, the weight of the squared covariances")
    diagonal: float = Field(
        100.0, ge=0, description="lambda_d, the weight of the squared distances of variances from 1"
    )


def build(options: Options, context: Context) -> "Dip":
    """Build the rate and the two weighted terms.

    Raises:
        UserError: the posterior is of another kind than gaussian, or the latent has one dimension.
    """
    require_gaussian(context, f"regularizer {options.name}")
    require_dimensions(context, f"regularizer {options.name}")
    return Dip(options.covariance == "aggregate", options.off_diagonal, options.diagonal)


class Dip(Regularizer):
    trains_prior: TrainsPrior = "density"

    def __init__(self, of_aggregate: bool, off_diagonal: float, diagonal: float) -> None:
        self.of_aggregate, self.off_diagonal, self.diagonal = of_aggregate, off_diagonal, diagonal

    def __call__(self, batch: TrainingBatch) -> Terms:
        """The rate of each image, and the weighted penalties of the batch, the same for each: nats, (b,)."""
        assert batch.rate is not None
        variances, covariances = self._covariance(batch.latent)
        terms = {
            "off_diagonal": self.off_diagonal * covariances.square().sum(),
            "diagonal": self.diagonal * (variances - 1).square().sum(),
        }
        return Terms({"kl": batch.rate, **{name: term.expand(len(batch.rate)) for name, term in terms.items()}})

    def _covariance(self, latent: object) -> tuple[Tensor, Tensor]:
        """Variances, (latent,), and covariances with 0 in place of the variances, (latent, latent)."""
        assert isinstance(latent, GaussianLatent)
        mean = ranks.whole(latent.mean)
        centred = mean - mean.mean(0)
        with torch.autocast(centred.device.type, enabled=False):
            covariance = centred.t() @ centred / len(centred)
        variances = covariance.diagonal()
        within = ranks.whole(latent.log_var).exp().mean(0) if self.of_aggregate else 0.0
        return variances + within, covariance - torch.diag(variances)
