"""Nothing beside the distortion: a plain autoencoder; or, under the importance-weighted bound, beside the bound."""

from torch import Tensor

from vaeline.models.contracts import Context, Latent, Prior, TrainsPrior
from vaeline.study.parts import PartOptions
from vaeline.system.errors import UserError


class Options(PartOptions):
    pass


def build(options: Options, context: Context) -> "Nothing":
    """Build no term at all.

    Raises:
        UserError: the posterior has a codebook, which nothing would train.
    """
    if context.posterior == "codes":
        raise UserError(
            "regularizer none leaves the codebook of posterior vector_quantized untrained; take regularizer commitment."
        )
    return Nothing()


class Nothing:
    trains_prior: TrainsPrior = "nothing"

    def __call__(
        self, latent: Latent, rate: Tensor | None, prior: Prior, condition: Tensor | None, step: int | None
    ) -> dict[str, Tensor]:
        """No terms."""
        return {}
