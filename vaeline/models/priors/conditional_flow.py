"""A conditional prior through a normalizing flow: log p(z|y) = log N(f(z); mean(y), var(y)) + log|det df/dz|.

The prior of "Improving Conditional VAE with approximation using Normalizing Flows", after VITS (Kim et al., 2021).
To sample, u is drawn from the Gaussian of the labels and z = f^-1(u).
"""

from typing import Annotated

from pydantic import Field

from vaeline.models.contracts import Context, Flow
from vaeline.models.part_checks import require_condition, vector_size
from vaeline.models.priors._flow import FlowPrior
from vaeline.models.priors.conditional_gaussian import ConditionalGaussian
from vaeline.study import parts
from vaeline.study.parts import PartOf, PartOptions


class Options(PartOptions):
    flow: Annotated[PartOptions, PartOf("flows")] = Field(
        {"name": "affine_coupling"}, validate_default=True, description="z to the base"
    )
    hidden: int = Field(64, ge=1, description="units of the two hidden layers between condition and base")
    samples_skip_flow: bool = Field(
        False, description="draw from the base alone, which is another density, as the paper's code does"
    )


def build(options: Options, context: Context) -> FlowPrior:
    """Build the prior from a conditional Gaussian base and a flow.

    Raises:
        UserError: the model has no condition, or the latents are discrete.
    """
    part = f"prior {options.name}"
    base = ConditionalGaussian(require_condition(context, part), vector_size(context, part), options.hidden)
    return FlowPrior(base, parts.build(Flow, options.flow, context), options.samples_skip_flow)
