"""A diagonal Gaussian prior whose mean and variance are functions of the labels (Sohn et al., 2015)."""

from pydantic import Field
from torch import Tensor, nn

from vaeline.models import gaussian
from vaeline.models.contracts import Context, Prior
from vaeline.models.latent import GaussianLatent, Latent
from vaeline.models.part_checks import require_condition, vector_size
from vaeline.study.parts import PartOptions


class Options(PartOptions):
    hidden: int = Field(64, ge=1, description="units of the two hidden layers between condition and parameters")


def build(options: Options, context: Context) -> "ConditionalGaussian":
    """Build p(z|y) = N(mean(y), exp(log_var(y))).

    Raises:
        UserError: the model has no condition, or the latents are discrete.
    """
    part = f"prior {options.name}"
    return ConditionalGaussian(require_condition(context, part), vector_size(context, part), options.hidden)


class ConditionalGaussian(Prior):
    conditional = True

    def __init__(self, condition: int, size: int, hidden: int) -> None:
        super().__init__()
        self.network = nn.Sequential(
            nn.Linear(condition, hidden), nn.SiLU(), nn.Linear(hidden, hidden), nn.SiLU(), nn.Linear(hidden, 2 * size)
        )

    def parameters_of(self, condition: Tensor | None) -> tuple[Tensor, Tensor]:
        """Mean and log-variance for each condition, (b, latent) each."""
        mean, log_var = self.network(condition).float().chunk(2, 1)
        return mean, log_var.clamp(-20, 20)

    def log_prob(self, z: Tensor, condition: Tensor | None) -> Tensor:
        """Log-density of z, (b, latent), given its condition; fewer conditions are taken in turn: nats, (b,)."""
        assert condition is not None
        turns = len(z) // len(condition)
        mean, log_var = (each.repeat(turns, 1) for each in self.parameters_of(condition))
        return gaussian.log_prob(z, mean, log_var)

    def sample(self, count: int, condition: Tensor | None) -> Tensor:
        """Draw one z for each of `count` conditions, (count, latent), reparameterised."""
        mean, log_var = self.parameters_of(condition)
        return gaussian.sample(mean, log_var)

    def kl_each(self, latent: Latent, condition: Tensor | None) -> Tensor | None:
        """KL(q(z_j|x) || p(z_j|y)) in closed form, for a Gaussian q: nats, (b, latent)."""
        if not isinstance(latent, GaussianLatent):
            return None
        return gaussian.kl_each(latent.mean, latent.log_var, *self.parameters_of(condition))
