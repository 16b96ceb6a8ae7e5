"""A prior through a normalizing flow: log p(z|y) = log b(f(z)|y) + log|det df/dz|, b another prior."""

from torch import Tensor

from vaeline.models.contracts import Flow, Prior

SKIPPED = "samples skip the prior's flow, so they do not follow log p(z)"


class FlowPrior(Prior):
    """A base and a flow from z to the space of the base; if `samples_skip_flow`, samples are those of the base."""

    flow: Flow

    def __init__(self, base: Prior, flow: Flow, samples_skip_flow: bool = False) -> None:
        super().__init__()
        self.conditional = base.conditional
        self.reparameterised = base.reparameterised and not samples_skip_flow
        self.samples_differ = SKIPPED if samples_skip_flow else ""
        self.base = base
        self.flow = flow

    def log_prob(self, z: Tensor, condition: Tensor | None) -> Tensor:
        """Log-density of z, (b, latent), given its condition if there is one: nats, (b,)."""
        u, log_det = self.flow(z)  # (b, latent), (b,)
        return self.base.log_prob(u, condition) + log_det

    def sample(self, count: int, condition: Tensor | None) -> Tensor:
        """Draw z, (count, latent), reparameterised; one for each of `count` conditions if there are any."""
        u = self.base.sample(count, condition)
        return u if self.samples_differ else self.flow.inverse(u)
