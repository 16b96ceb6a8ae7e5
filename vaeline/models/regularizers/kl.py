"""The weighted rate, with an optional linear warm-up of the weight from 0 (beta-VAE: Higgins et al., 2017)."""

from pydantic import Field

from vaeline.models.contracts import Context, Regularizer, Terms, TrainingBatch, TrainsPrior
from vaeline.models.part_checks import require_rate
from vaeline.study.parts import PartOptions


class Options(PartOptions):
    weight: float = Field(
        1.0, gt=0, description="factor of the rate at its final value; 1 makes the objective the bound"
    )
    warmup: int = Field(0, ge=0, description="training steps over which the weight rises from 0")


def build(options: Options, context: Context) -> "WeightedRate":
    """Build the regularizer weight * KL(q(z|x) || p(z)).

    Raises:
        UserError: the posterior has no rate.
    """
    require_rate(context, f"regularizer {options.name}")
    return WeightedRate(options.weight, options.warmup)


class WeightedRate(Regularizer):
    trains_prior: TrainsPrior = "density"

    def __init__(self, weight: float, warmup: int) -> None:
        self.weight = weight
        self.warmup = warmup

    def __call__(self, batch: TrainingBatch) -> Terms:
        """The weighted rate of each image, (b,)."""
        assert batch.rate is not None
        share = 1.0 if batch.step is None or not self.warmup else min(1.0, batch.step / self.warmup)
        return Terms({"kl": self.weight * share * batch.rate})
