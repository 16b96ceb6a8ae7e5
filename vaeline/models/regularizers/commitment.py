"""Draws the codebook to the encoder's vectors, and these to the codebook (VQ-VAE: van den Oord et al., 2017, eq. 3)."""

from pydantic import Field

from vaeline.models.contracts import Context, Regularizer, Terms, TrainingBatch, TrainsPrior
from vaeline.models.latent import DiscreteLatent
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
    if context.posterior != "discrete":
        raise UserError(
            "regularizer commitment trains a codebook, which only posterior vector_quantized has; take that posterior, or regularizer kl."
        )
    return Commitment(options.codebook, options.commitment)


class Commitment(Regularizer):
    trains_prior: TrainsPrior = "nothing"  # the rate of a discrete posterior is constant

    def __init__(self, codebook: float, commitment: float) -> None:
        self.codebook, self.commitment = codebook, commitment

    def __call__(self, batch: TrainingBatch) -> Terms:
        """Squared distances summed over the map and the latent, (b,) each."""
        latent = batch.latent
        assert isinstance(latent, DiscreteLatent)
        to_codebook = (latent.encoded.detach() - latent.quantized).square().flatten(1).sum(1)
        to_encoder = (latent.encoded - latent.quantized.detach()).square().flatten(1).sum(1)
        return Terms({"codebook": self.codebook * to_codebook, "commitment": self.commitment * to_encoder})
