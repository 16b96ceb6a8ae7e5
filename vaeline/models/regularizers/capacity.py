"""The rate kept near a capacity that grows over the training: gamma |rate - C| (beta-VAE-B: Burgess et al., 2018, eq. 8)."""

from pydantic import Field

from vaeline.models.contracts import Context, Regularizer, Terms, TrainingBatch, TrainsPrior
from vaeline.models.part_checks import require_rate
from vaeline.study.parts import PartOptions
from vaeline.system import ranks


class Options(PartOptions):
    gamma: float = Field(15.0, gt=0, description="factor of the distance from the capacity")
    capacity: float = Field(25.0, ge=0, description="C at its final value, nats")
    steps: int = Field(100_000, ge=0, description="training steps over which C grows linearly from 0")


def build(options: Options, context: Context) -> "Capacity":
    """Build the regularizer gamma |KL(q(z|x) || p(z)) - C|, the rate averaged over the batch first.

    Raises:
        UserError: the posterior has no rate.
    """
    require_rate(context, f"regularizer {options.name}")
    return Capacity(options.gamma, options.capacity, options.steps)


class Capacity(Regularizer):
    trains_prior: TrainsPrior = "density"

    def __init__(self, gamma: float, capacity: float, steps: int) -> None:
        self.gamma, self.capacity, self.steps = gamma, capacity, steps

    def __call__(self, batch: TrainingBatch) -> Terms:
        """The weighted distance of the mean rate of the batch from the capacity, the same for each image, (b,)."""
        assert batch.rate is not None
        share = 1.0 if batch.step is None or not self.steps else min(1.0, batch.step / self.steps)
        distance = self.gamma * (ranks.mean(batch.rate) - share * self.capacity).abs()
        return Terms({"capacity": distance.expand(len(batch.rate))})
