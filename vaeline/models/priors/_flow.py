"""A prior through a normalizing flow: log p(z|y) = log b(f(z)|y) + log|det df/dz|, b another prior."""

from typing import Any

from torch import Tensor, nn

from vaeline.models.contracts import Latent


class FlowPrior(nn.Module):
    """Draws of the base go back through the flow, unless `samples_skip_flow`: then they are of another density."""

    def __init__(self, base: Any, flow: Any, samples_skip_flow: bool = False) -> None:
        super().__init__()
        self.conditional: bool = base.conditional
        self.samples_skip_flow = samples_skip_flow
        self.base = base  # a vaeline.contracts.Prior
        self.flow = flow  # a vaeline.contracts.Flow, z to the base

    def log_prob(self, z: Tensor, condition: Tensor | None) -> Tensor:
        """Log-density of z, (b, latent), given its condition where there is one: nats, (b,)."""
        u, log_det = self.flow(z)  # (b, latent), (b,)
        return self.base.log_prob(u, condition) + log_det

    def sample(self, count: int, condition: Tensor | None) -> Tensor:
        """Draw z, (count, latent), reparameterised; one for each of `count` conditions where there are any."""
        u = self.base.sample(count, condition)
        return u if self.samples_skip_flow else self.flow.inverse(u)

    def kl(self, latent: Latent, condition: Tensor | None) -> Tensor | None:
        """There is no closed form; the model takes one sample of log q - log p."""
        return None
