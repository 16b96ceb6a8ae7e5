"""The VampPrior: a mixture of the posteriors of learned pseudo-inputs (Tomczak and Welling, 2018).

p(z) = 1/K sum_k q(z|u_k). The pseudo-inputs u_k are images; the encoder is the model's own.
"""

from collections.abc import Callable
from math import log

import torch
from pydantic import Field
from torch import Tensor, nn

from vaeline.models import gaussian
from vaeline.models.contracts import Context, Latent
from vaeline.models.output_range import OutputRange
from vaeline.models.part_checks import vector_size
from vaeline.study.parts import PartOptions
from vaeline.system.errors import UserError


class Options(PartOptions):
    pseudo_inputs: int = Field(500, ge=1, le=10_000, description="learned images whose posteriors are mixed")


def build(options: Options, context: Context) -> nn.Module:
    """Build the prior on top of the model's encoder.

    Raises:
        UserError: the encoder needs labels, which pseudo-inputs have not, or the posterior is no Gaussian.
    """
    vector_size(context, "prior vamp")
    if context.encode is None:
        raise UserError(
            "prior vamp encodes pseudo-inputs, which have no labels, but the encoder sees labels; set condition.encoder to false."
        )
    if context.posterior != "gaussian":
        raise UserError("prior vamp mixes Gaussian posteriors, which this posterior is not; take posterior gaussian.")
    return Vamp(options.pseudo_inputs, context, context.encode)


class Vamp(nn.Module):
    conditional = False
    encodes = True  # in training too

    def __init__(self, count: int, context: Context, encode: Callable[[Tensor], Latent]) -> None:
        super().__init__()
        self.encode = encode
        self.squash = OutputRange(context)
        # Unbounded; they start grey and a little apart.
        self.pseudo_inputs = nn.Parameter(torch.randn(count, *context.image_shape))

    def log_prob(self, z: Tensor, condition: Tensor | None) -> Tensor:
        """Log-density of z, (b, latent): nats, (b,)."""
        mean, log_var = self._components()
        return gaussian.log_prob_each(z, mean, log_var).logsumexp(1) - log(len(mean))

    def sample(self, count: int, condition: Tensor | None) -> Tensor:
        """Draw z, (count, latent), reparameterised within the component that is drawn."""
        mean, log_var = self._components()
        chosen = torch.randint(len(mean), (count,), device=mean.device)
        mean, log_var = mean[chosen], log_var[chosen]
        return gaussian.sample(mean, log_var)

    def kl(self, latent: Latent, condition: Tensor | None) -> Tensor | None:
        """There is no closed form; the model takes one sample of log q - log p."""
        return None

    def images(self) -> Tensor:
        """The pseudo-inputs as images, (pseudo_inputs, channel, height, width)."""
        return self.squash(self.pseudo_inputs)

    def _components(self) -> tuple[Tensor, Tensor]:
        """Mean and log-variance of each component, (pseudo_inputs, latent) each."""
        latent = self.encode(self.images())
        assert latent.mean is not None and latent.log_var is not None
        return latent.mean, latent.log_var
