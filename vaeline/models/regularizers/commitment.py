"""Draws the codebook to the encoder's vectors, and these to the codebook (VQ-VAE: van den Oord et al., 2017, eq. 3)."""

from pydantic import Field
from torch import Tensor

from vaeline.models.contracts import Context, Regularizer, Terms, TrainingBatch, TrainsPrior
from vaeline.models.latent import DiscreteLatent
from vaeline.study.parts import PartOptions
from vaeline.system.errors import UserError


class Options(PartOptions):
    codebook: float = Field(
        1.0,
        ge=0,
        description="weight of |sg(encoded) - quantized|^2, which moves the codebook; 0 for one that is a moving average",
    )
    commitment: float = Field(0.25, ge=0, description="weight of |encoded - sg(quantized)|^2, which moves the encoder")


def build(options: Options, context: Context) -> "Commitment":
    """Build the two weighted terms.

    Raises:
        UserError: the posterior has no codebook that learns, or learns it in another way than the weights say.
    """
    if context.posterior != "discrete":
        raise UserError(
            f"regularizer {options.name} trains a codebook, which only posterior vector_quantized has; take that posterior, or regularizer kl."
        )
    if context.codebook_learns == "never":
        raise UserError(
            f"regularizer {options.name} trains a codebook, but that of this posterior is fixed; take regularizer none, or posterior vector_quantized."
        )
    if (context.codebook_learns == "gradient") != (options.codebook > 0):
        instead = "posterior.update to average" if options.codebook == 0 else "it to 0, or posterior.update to gradient"
        raise UserError(
            f"regularizer.codebook is {options.codebook:g}, but the codebook learns by posterior.update {context.codebook_learns}; set {instead}."
        )
    return Commitment(options.codebook, options.commitment)


class Commitment(Regularizer):
    trains_prior: TrainsPrior = "nothing"  # the rate of a discrete posterior is constant

    def __init__(self, codebook: float, commitment: float) -> None:
        self.codebook, self.commitment = codebook, commitment

    def __call__(self, batch: TrainingBatch) -> Terms:
        """Squared distances summed over the stages, the map and the latent, (b,) each; of the codebook if it has a gradient."""
        latent = batch.latent
        assert isinstance(latent, DiscreteLatent)
        of_codebook = (
            {"codebook": self.codebook * _squares(latent.encoded.detach() - latent.quantized)} if self.codebook else {}
        )
        return Terms(
            {**of_codebook, "commitment": self.commitment * _squares(latent.encoded - latent.quantized.detach())}
        )


def _squares(each: Tensor) -> Tensor:
    """Sums of squares, (stages, b, ...) to (b,)."""
    return each.square().flatten(2).sum((0, 2))
