"""The importance-weighted bound (Burda et al., 2016, eq. 8): -log of the mean of K importance weights."""

from math import log

from pydantic import Field
from torch import Tensor

from vaeline.models.contracts import Bound, BoundModel, Context, Objective
from vaeline.models.latent import SAMPLED
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
    if context.posterior not in SAMPLED:
        raise UserError(
            f"bound {options.name} weighs samples of q(z|x) by their density, but the posterior is {context.posterior}; take "
            "posterior gaussian, flow or ladder, or bound evidence_lower_bound."
        )
    return ImportanceWeighted(options.samples)


class ImportanceWeighted(Bound):
    includes_rate = True

    def __init__(self, samples: int) -> None:
        self.samples = samples

    def __call__(self, model: BoundModel, x: Tensor, labels: Tensor, step: int | None) -> Objective:
        """The bound of each image, (b,); distortion and rate of its samples, (K * b,), are logged: nats."""
        count, condition = self.samples, model.condition(labels)
        latent = model.posterior(_repeated(model.features(x, condition), count))
        assert latent.log_q is not None
        many = None if condition is None else _repeated(condition, count)
        distortion = -model.likelihood.log_prob(_repeated(x, count), model.decoder_output(latent.z, many))
        rate = latent.log_q - model.prior.log_prob(latent.density_input, condition)
        log_weights = -(distortion + rate).unflatten(0, (count, -1))  # (K, b)
        bound = log(count) - log_weights.logsumexp(0)
        return Objective({"importance_weighted_bound": bound}, {"distortion": distortion, "rate": rate})


def _repeated(each: Tensor, count: int) -> Tensor:
    """The rows of a tensor, (b, ...), again and again: (count * b, ...)."""
    return each.repeat(count, *[1] * (each.dim() - 1))
