"""No terms except the distortion, for a plain autoencoder, or for the importance-weighted bound."""

from vaeline.models.contracts import Context, Regularizer, Terms, TrainingBatch, TrainsPrior
from vaeline.study.parts import PartOptions
from vaeline.system.errors import UserError


class Options(PartOptions):
    pass


def build(options: Options, context: Context) -> "Nothing":
    """Build no term at all.

    Raises:
        UserError: the posterior has a codebook that learns, and nothing would draw the encoder to it.
    """
    if context.codebook_learns != "never":
        raise UserError(
            f"regularizer {options.name} leaves encoder and codebook of a posterior of kind discrete apart; take regularizer commitment."
        )
    return Nothing()


class Nothing(Regularizer):
    trains_prior: TrainsPrior = "nothing"
    adds_terms = False
    limits_posterior = False

    def __call__(self, batch: TrainingBatch) -> Terms:
        """No terms."""
        return Terms({})
