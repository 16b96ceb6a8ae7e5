"""A mixture of Gaussians with learned weights, means and variances (Dilokthanakul et al., 2016; a baseline of dpVAE)."""

import torch
from pydantic import Field
from torch import Tensor, nn

from vaeline.models import gaussian
from vaeline.models.contracts import Context, Prior
from vaeline.models.part_checks import vector_size
from vaeline.study.parts import PartOptions


class Options(PartOptions):
    components: int = Field(10, ge=1, le=10_000, description="Gaussians in the mixture")


def build(options: Options, context: Context) -> "Mixture":
    """Build p(z) = sum_k w_k N(mean_k, var_k).

    Raises:
        UserError: the latents are discrete.
    """
    return Mixture(options.components, vector_size(context, f"prior {options.name}"))


class Mixture(Prior):
    reparameterised = False  # the choice of a component has no gradient in the weights of the components

    def __init__(self, components: int, size: int) -> None:
        super().__init__()
        # The means differ: components that start equal stay equal.
        self.mean = nn.Parameter(torch.randn(components, size))
        self.log_var = nn.Parameter(torch.zeros(components, size))
        self.logits = nn.Parameter(torch.zeros(components))

    def log_prob(self, z: Tensor, condition: Tensor | None) -> Tensor:
        """Log-density of z, (b, latent): nats, (b,)."""
        each = gaussian.log_prob_each(z, self.mean, self.log_var)  # (b, components)
        return (self.logits.log_softmax(0) + each).logsumexp(1)

    def sample(self, count: int, condition: Tensor | None) -> Tensor:
        """Draw z, (count, latent), reparameterised given its component."""
        chosen = torch.multinomial(self.logits.softmax(0), count, replacement=True)
        mean, log_var = self.mean[chosen], self.log_var[chosen]
        return gaussian.sample(mean, log_var)

    def centres(self) -> Tensor:
        """The means, (components, latent)."""
        return self.mean.detach()
