"""What draws a codebook to the encoder's vectors and those to it (VQ-VAE: van den Oord et al., 2017, eq. 3)."""

from pydantic import Field
from torch import Tensor

from vaeline.models.contracts import Context, Latent, Prior, TrainsPrior
from vaeline.study.parts import PartOptions
from vaeline.system.errors import UserError


class Options(PartOptions):
    codebook: float = Field(1.0, gt=0, description="weight of |sg(encoded) - quantized|^2, which moves the codebook")
    commitment: float = Field(0.25, ge=0, description="weight of |encoded - sg(quantized)|^2, which moves the encoder")


def build(options: Options, context: Context) -> "Commitment":
    """Build the two weighted terms.

    Raises:
        UserError: the posterior has no codebook.
    """
    if context.posterior != "codes":
        raise UserError(
            "regularizer commitment moves a codebook, which only posterior vector_quantized has; take that, or regularizer kl."
        )
    return Commitment(options.codebook, options.commitment)


class Commitment:
    trains_prior: TrainsPrior = "nothing"  # the rate of codes is a constant

    def __init__(self, codebook: float, commitment: float) -> None:
        self.codebook, self.commitment = codebook, commitment

    def __call__(
        self, latent: Latent, rate: Tensor, prior: Prior, condition: Tensor | None, step: int | None
    ) -> dict[str, Tensor]:
        """Squared distances summed over the map and the latent, (b,) each."""
        assert latent.encoded is not None and latent.quantized is not None
        to_codebook = (latent.encoded.detach() - latent.quantized).square().flatten(1).sum(1)
        to_encoder = (latent.encoded - latent.quantized.detach()).square().flatten(1).sum(1)
        return {"codebook": self.codebook * to_codebook, "commitment": self.commitment * to_encoder}
