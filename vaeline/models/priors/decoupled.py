"""A prior decoupled from the space that is sampled: log p(z) = log N(g(z); 0, I) + log|det dg/dz| (dpVAE).

The prior of "dpVAEs: Fixing Sample Generation for Regularized VAEs" (eq. 2): regularizers act on z, in the
representation space; samples start from u ~ N(0, I), in the generation space, and z = g^-1(u).
"""

from typing import Annotated

from pydantic import Field

from vaeline.models.contracts import Context, Flow
from vaeline.models.part_checks import vector_size
from vaeline.models.priors._flow import FlowPrior
from vaeline.models.priors.standard import Standard
from vaeline.study import parts
from vaeline.study.parts import PartOf, PartOptions


class Options(PartOptions):
    flow: Annotated[PartOptions, PartOf("flows")] = Field(
        {"name": "affine_coupling", "layers": 6, "hidden": 64},
        validate_default=True,
        description="z to the generation space",
    )


def build(options: Options, context: Context) -> FlowPrior:
    """Build the prior from a standard normal base and a flow.

    Raises:
        UserError: the latents are discrete.
    """
    return FlowPrior(Standard(vector_size(context, f"prior {options.name}")), parts.build(Flow, options.flow, context))
