"""The VampPrior: a mixture of the posteriors of learned pseudo-inputs (Tomczak and Welling, 2018).

p(z) = 1/K sum_k q(z|u_k). The pseudo-inputs u_k are images; the encoder is the model's own.
"""

from collections.abc import Callable
from math import log

import torch
from pydantic import Field
from torch import Tensor, nn

from vaeline.models import gaussian
from vaeline.models.contracts import Context, Prior
from vaeline.models.latent import GaussianLatent, Latent
from vaeline.models.output_range import OutputRange
from vaeline.models.part_checks import vector_size
from vaeline.models.priors.mixture import Mixture
from vaeline.study.parts import PartOptions
from vaeline.system import ranks
from vaeline.system.errors import UserError


class Options(PartOptions):
    pseudo_inputs: int = Field(500, ge=1, le=10_000, description="learned images whose posteriors are mixed")


def build(options: Options, context: Context) -> "Vamp":
    """Build the prior on the encoder of the model.

    Raises:
        UserError: the encoder sees labels, which pseudo-inputs do not have, or the posterior is not Gaussian.
    """
    vector_size(context, f"prior {options.name}")
    if context.encode is None:
        raise UserError(
            f"prior {options.name} encodes pseudo-inputs, which have no labels, but the encoder sees labels; set condition.encoder to false."
        )
    if context.posterior != "gaussian":
        raise UserError(
            f"prior {options.name} mixes Gaussian posteriors, but the posterior is {context.posterior}; take posterior gaussian."
        )
    return Vamp(options.pseudo_inputs, context, context.encode)


class Vamp(Prior):
    encodes_images = True

    def __init__(self, count: int, context: Context, encode: Callable[[Tensor], Latent]) -> None:
        super().__init__()
        self.encode = encode
        self.output_range = OutputRange(context)
        # Unbounded; they start near grey, each different.
        self.pseudo_inputs = nn.Parameter(torch.randn(count, *context.image_shape))

    def log_prob(self, z: Tensor, condition: Tensor | None) -> Tensor:
        """Log-density of z, (b, latent): nats, (b,)."""
        mean, log_var = self._components()
        return gaussian.log_prob_each(z, mean, log_var).logsumexp(1) - log(len(mean))

    def sample(self, count: int, condition: Tensor | None) -> Tensor:
        """Draw z, (count, latent), reparameterised given its component."""
        mean, log_var = self._components()
        chosen = torch.randint(len(mean), (count,), device=mean.device)
        mean, log_var = mean[chosen], log_var[chosen]
        return gaussian.sample(mean, log_var)

    def frozen(self) -> Mixture:
        """The mixture of the posteriors as they are now: the pseudo-inputs are not encoded again."""
        with torch.no_grad():
            mean, log_var = self._components()
        mixture = Mixture(*mean.shape)
        mixture.mean.data, mixture.log_var.data = mean, log_var
        mixture.logits.data = mean.new_zeros(len(mean))
        return mixture.requires_grad_(False)

    def images(self) -> Tensor:
        """The pseudo-inputs as images, (pseudo_inputs, channel, height, width)."""
        return self.output_range(self.pseudo_inputs)

    def _components(self) -> tuple[Tensor, Tensor]:
        """Mean and log-variance of each component, (pseudo_inputs, latent) each."""
        with ranks.undealt():  # these are no images of the batch
            latent = self.encode(self.images())
        assert isinstance(latent, GaussianLatent)
        return latent.mean, latent.log_var
