"""Masked autoregressive flow (Papamakarios et al., 2017): u_i = (z_i - m_i) exp(-s_i), where m and s depend on the dimensions before i.

As the flow of a prior it is a density in one pass, and a sample takes a pass for each dimension. Between its steps the paper normalises
batches, which would make a density depend on its neighbours; here there is nothing between them.
"""

from pydantic import Field
from torch import Tensor

from vaeline.models.contracts import Context
from vaeline.models.flows._autoregressive import Autoregressive
from vaeline.study.parts import PartOptions

LARGEST = 2.0  # of |s|: an unbounded scale overflows in the inverse, whose steps multiply


class Options(PartOptions):
    layers: int = Field(4, ge=1, le=64, description="steps; consecutive steps order the dimensions in opposite ways")
    hidden: int = Field(64, ge=1, description="units of the two hidden layers in each step's MADE")


def build(options: Options, context: Context) -> Autoregressive:
    """Build a chain of steps over a latent vector; untrained, it is the identity."""
    [size] = context.latent_shape
    return Autoregressive(whiten, color, size, options.layers, options.hidden, context.flow_context)


def whiten(z: Tensor, m: Tensor, s: Tensor) -> tuple[Tensor, Tensor]:
    """u = (z - m) exp(-s), and log du/dz: the shape of z."""
    log_slope = -LARGEST * (s / LARGEST).tanh()
    return (z - m) * log_slope.exp(), log_slope


def color(u: Tensor, m: Tensor, s: Tensor) -> Tensor:
    """The z that becomes u."""
    return u * (LARGEST * (s / LARGEST).tanh()).exp() + m
