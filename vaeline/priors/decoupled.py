"""A prior decoupled from the space that is sampled: log p(z) = log N(g(z); 0, I) + log|det dg/dz| (dpVAE).

The prior of "dpVAEs: Fixing Sample Generation for Regularized VAEs" (eq. 2): regularizers act on z, in the
representation space; samples start from u ~ N(0, I), in the generation space, and z = g^-1(u).
"""

from typing import Any

import torch
from pydantic import Field
from torch import Tensor, nn

from vaeline import gaussian, parts
from vaeline.contracts import Context, Latent
from vaeline.latents import vector_size
from vaeline.parts import PartOptions, part


class Options(PartOptions):
    flow: part("flows") = Field(  # type: ignore[valid-type]
        {"name": "affine_coupling", "layers": 6, "hidden": 64},
        validate_default=True,
        description="z to the generation space",
    )


def build(options: Any, context: Context) -> nn.Module:
    """Build the prior out of a standard normal base and a flow.

    Raises:
        UserError: the posterior makes codes.
    """
    size = vector_size(context, "prior decoupled")
    return Decoupled(size, parts.build("flows", options.flow, context))


class Decoupled(nn.Module):
    conditional = False
    flow: Any  # a vaeline.contracts.Flow
    zero: Tensor

    def __init__(self, size: int, flow: nn.Module) -> None:
        super().__init__()
        self.flow = flow
        self.register_buffer("zero", torch.zeros(size), persistent=False)

    def log_prob(self, z: Tensor, condition: Tensor | None) -> Tensor:
        """Log-density of z, (b, latent): nats, (b,)."""
        u, log_det = self.flow(z)  # (b, latent), (b,)
        return gaussian.log_prob(u, self.zero, self.zero) + log_det

    def sample(self, count: int, condition: Tensor | None) -> Tensor:
        """Draw z, (count, latent), reparameterised."""
        return self.flow.inverse(torch.randn(count, len(self.zero), device=self.zero.device))

    def kl(self, latent: Latent, condition: Tensor | None) -> Tensor | None:
        """There is no closed form; the model takes one sample of log q - log p."""
        return None
