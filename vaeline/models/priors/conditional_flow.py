"""A conditional prior through a normalizing flow: log p(z|y) = log N(f(z); mean(y), var(y)) + log|det df/dz|.

The prior of "Improving Conditional VAE with approximation using Normalizing Flows", after VITS (Kim et al., 2021).
To sample, u is drawn from the Gaussian of the labels and z = f^-1(u).
"""

from typing import Any

from pydantic import Field
from torch import nn

from vaeline.models.contracts import Context
from vaeline.models.priors._flow import FlowPrior
from vaeline.models.priors.conditional_gaussian import ConditionalGaussian
from vaeline.study import parts
from vaeline.study.parts import PartOptions, part


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
    return FlowPrior(base, parts.build("flows", options.flow, context), options.samples_skip_flow)
