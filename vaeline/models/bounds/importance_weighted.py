"""The importance-weighted bound (Burda et al., 2016, eq. 8): -log of the mean of K importance weights."""

from math import log
from typing import Any

from pydantic import Field
from torch import Tensor

from vaeline.models.contracts import Context
from vaeline.study.parts import PartOptions
from vaeline.system.errors import UserError


class Options(PartOptions):
    samples: int = Field(
        5, ge=1, le=100_000, description="K, posterior samples of each image; 1 makes it the plain bound"
    )


def build(options: Options, context: Context) -> "ImportanceWeighted":
    """Build the bound of K samples.

    Raises:
        UserError: the posterior has no density to weigh samples by.
    """
    if context.posterior not in ("gaussian", "density"):
        raise UserError(
            "bound importance_weighted weighs samples of q(z|x) by their density, which this posterior has not; take posterior "
            "gaussian or flow, or bound evidence_lower_bound."
        )
    return ImportanceWeighted(options.samples)


class ImportanceWeighted:
    includes_rate = True

    def __init__(self, samples: int) -> None:
        self.samples = samples

    def __call__(
        self, model: Any, x: Tensor, labels: Tensor, step: int | None
    ) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """The bound, (b,), and distortion and rate of its samples beside it, (K * b,): nats."""
        count = self.samples
        latent = model.posterior(model.features(x, labels).repeat(count, 1))
        many_x, many_labels = x.repeat(count, *[1] * (x.dim() - 1)), labels.repeat(count, 1)  # (K * b, ...)
        bound = model.bound_of(latent, many_x, many_labels, model.prior, closed_form=False)
        log_weights = -bound.negative_elbo.unflatten(0, (count, -1))  # (K, b)
        beside = {"distortion": bound.distortion, "rate": bound.rate}
        return {"importance_weighted_bound": log(count) - log_weights.logsumexp(0)}, beside
