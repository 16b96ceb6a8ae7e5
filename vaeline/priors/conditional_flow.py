"""A conditional prior through a normalizing flow: log p(z|y) = log N(f(z); mean(y), var(y)) + log|det df/dz|.

The prior of "Improving Conditional VAE with approximation using Normalizing Flows", after VITS (Kim et al., 2021).
To sample, u is drawn from the Gaussian of the labels and z = f^-1(u).
"""

from typing import Any

from pydantic import Field
from torch import Tensor, nn

from vaeline import parts
from vaeline.contracts import Context, Latent
from vaeline.parts import PartOptions, part
from vaeline.priors.conditional_gaussian import ConditionalGaussian


class Options(PartOptions):
    flow: part("flows") = Field({"name": "affine_coupling"}, validate_default=True, description="z to the base")  # type: ignore[valid-type]
    hidden: int = Field(64, ge=1, description="units of the two hidden layers between condition and base")
    samples_skip_flow: bool = Field(
        False, description="draw from the base alone, which is another density, as the paper's code does"
    )


def build(options: Any, context: Context) -> nn.Module:
    """Build the prior out of a conditional Gaussian base and a flow.

    Raises:
        UserError: the model has no condition, or the posterior makes codes.
    """
    base = ConditionalGaussian(context, options.hidden, options.name)
    flow = parts.build("flows", options.flow, context)
    return ConditionalFlow(base, flow, options.samples_skip_flow)


class ConditionalFlow(nn.Module):
    conditional = True
    flow: Any  # a vaeline.contracts.Flow

    def __init__(self, base: ConditionalGaussian, flow: nn.Module, samples_skip_flow: bool) -> None:
        super().__init__()
        self.samples_skip_flow = samples_skip_flow
        self.base = base
        self.flow = flow

    def log_prob(self, z: Tensor, condition: Tensor) -> Tensor:
        """Log-density of z, (b, latent), given its condition: nats, (b,)."""
        u, log_det = self.flow(z)  # (b, latent), (b,)
        return self.base.log_prob(u, condition) + log_det

    def sample(self, count: int, condition: Tensor) -> Tensor:
        """Draw one z for each of `count` conditions, (count, latent), reparameterised."""
        u = self.base.sample(count, condition)
        return u if self.samples_skip_flow else self.flow.inverse(u)

    def kl(self, latent: Latent, condition: Tensor) -> Tensor | None:
        """There is no closed form; the model takes one sample of log q - log p."""
        return None
