"""The diagonal Gaussian posterior, reparameterised (Kingma and Welling, 2014)."""

from typing import Literal

from pydantic import Field
from torch import Tensor

from vaeline.models import gaussian
from vaeline.models.contracts import Context, Posterior
from vaeline.models.latent import GaussianLatent, Kind
from vaeline.study.parts import PartOptions


class Options(PartOptions):
    squash: Literal["none", "tanh"] = Field(
        "none", description="bounds mean and log-deviation to (-1, 1), as 'Transforming VAEs' does"
    )


def build(options: Options, context: Context) -> "Gaussian":
    """Build q(z|x) = N(mean, exp(log_var)); it needs two numbers for each latent dimension."""
    return Gaussian(context.latent_shape[0], options.squash == "tanh")


class Gaussian(Posterior):
    kind: Kind = "gaussian"

    def __init__(self, size: int, squashed: bool) -> None:
        super().__init__()
        self.features = 2 * size
        self.squashed = squashed

    def forward(self, features: Tensor) -> GaussianLatent:
        """Draw one z for each image from its features, (b, 2 latent)."""
        mean, log_var = self.parameters_of(features)
        return GaussianLatent(gaussian.sample(mean, log_var), mean, log_var)

    def centre(self, features: Tensor) -> Tensor:
        """The mean, (b, latent)."""
        return self.parameters_of(features)[0]

    def parameters_of(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log-variance from features, (b, 2 latent): (b, latent) each."""
        mean, log_var = features.float().chunk(2, 1)
        if self.squashed:
            return mean.tanh(), 2 * log_var.tanh()
        return mean, log_var.clamp(-20, 20)  # a variance beyond e^20 overflows before the optimizer can reduce it
