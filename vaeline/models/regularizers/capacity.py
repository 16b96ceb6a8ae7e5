"""The rate held at a capacity that grows over the training: gamma |rate - C| (beta-VAE-B: Burgess et al., 2018, eq. 8)."""

from pydantic import Field
from torch import Tensor

from vaeline.models.contracts import Context, Latent, Prior, TrainsPrior
from vaeline.models.part_checks import require_rate
from vaeline.study.parts import PartOptions


class Options(PartOptions):
    gamma: float = Field(15.0, gt=0, description="factor of the distance from the capacity")
    capacity: float = Field(25.0, ge=0, description="C, nats, as it is in the end")
    steps: int = Field(100_000, ge=0, description="training steps over which C grows linearly from 0")


def build(options: Options, context: Context) -> "Capacity":
    """Build the regularizer gamma |KL(q(z|x) || p(z)) - C|, the rate averaged over the batch first.

    Raises:
        UserError: the posterior has no rate.
    """
    require_rate(context, "regularizer capacity")
    return Capacity(options.gamma, options.capacity, options.steps)


class Capacity:
    trains_prior: TrainsPrior = "density"

    def __init__(self, gamma: float, capacity: float, steps: int) -> None:
        self.gamma, self.capacity, self.steps = gamma, capacity, steps

    def __call__(
        self, latent: Latent, rate: Tensor, prior: Prior, condition: Tensor | None, step: int | None
    ) -> dict[str, Tensor]:
        """The batch's mean distance from the capacity, the same for each image, (b,); step None stands for the end."""
        share = 1.0 if step is None or not self.steps else min(1.0, step / self.steps)
        return {"capacity": (self.gamma * (rate.mean() - share * self.capacity).abs()).expand(len(rate))}
