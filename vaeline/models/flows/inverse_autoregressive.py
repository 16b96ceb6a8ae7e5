"""Inverse autoregressive flow (Kingma et al., 2016): a gate in each dimension mixes z with a function of the dimensions before it."""

from pydantic import Field
from torch import Tensor
from torch.nn.functional import logsigmoid

from vaeline.models.contracts import Context
from vaeline.models.flows._autoregressive import Autoregressive
from vaeline.study.parts import PartOptions

OPEN = 2.0  # added to s, so that an untrained gate lets most of z through; the paper starts it at +1 or +2


class Options(PartOptions):
    layers: int = Field(4, ge=1, le=64, description="steps; consecutive steps order the dimensions in opposite ways")
    hidden: int = Field(64, ge=1, description="units of the two hidden layers in each step's MADE")


def build(options: Options, context: Context) -> Autoregressive:
    """Build a chain of steps over a latent vector."""
    [size] = context.latent_shape
    return Autoregressive(mix, unmix, size, options.layers, options.hidden, context.flow_context)


def mix(z: Tensor, m: Tensor, s: Tensor) -> tuple[Tensor, Tensor]:
    """u = sigma z + (1 - sigma) m with sigma = sigmoid(s), as in the paper's algorithm 1; and log du/dz: the shape of z."""
    sigma = (s + OPEN).sigmoid()
    return sigma * z + (1 - sigma) * m, logsigmoid(s + OPEN)


def unmix(u: Tensor, m: Tensor, s: Tensor) -> Tensor:
    """The z that is mixed into u."""
    return m + (u - m) * (1 + (-s - OPEN).exp())
