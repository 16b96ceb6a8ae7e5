"""A Gaussian posterior made flexible by flows: z = f(z0), z0 ~ N(mean, var) (Rezende and Mohamed, 2015).

log q(z|x) = log q0(z0|x) - log|det df/dz0|. The weights of the flows are shared by all images, or depend on features of
each image (the context of Kingma et al., 2016).
"""

from dataclasses import replace
from typing import Annotated, Literal

from pydantic import Field
from torch import Tensor, nn

from vaeline.models.contracts import Context, Flow, Posterior
from vaeline.models.flows._compose import Chain, compose
from vaeline.models.latent import FlowLatent, Kind
from vaeline.models.posteriors.gaussian import Gaussian
from vaeline.study import parts
from vaeline.study.parts import PartOf, PartOptions


class Options(PartOptions):
    flows: list[Annotated[PartOptions, PartOf("flows")]] = Field(
        [{"name": "planar"}], min_length=1, validate_default=True, description="the maps applied to z0, in order"
    )
    context: int = Field(
        0, ge=0, le=4096, description="features of each image that the maps depend on; 0: the same maps for all images"
    )
    squash: Literal["none", "tanh"] = Field(
        "none", description="bounds mean and log-deviation of z0 to (-1, 1), as 'Transforming VAEs' does"
    )


def build(options: Options, context: Context) -> "FlowPosterior":
    """Build the posterior from a Gaussian base and flows."""
    context = replace(context, flow_context=options.context)
    flows = [parts.build(Flow, flow, context) for flow in options.flows]
    return FlowPosterior(Gaussian(context.latent_shape[0], options.squash == "tanh"), flows, options.context)


class FlowPosterior(Posterior):
    kind: Kind = "flow"

    def __init__(self, base: Gaussian, flows: list[Flow], context: int) -> None:
        super().__init__()
        self.base = base
        self.flows = nn.ModuleList(flows)
        self.context = context
        self.features = base.features + context

    def forward(self, features: Tensor) -> FlowLatent:
        """Draw one z for each image from its features, (b, 2 latent + context)."""
        of_base, context = self._split(features)
        base = self.base.forward(of_base)
        z, log_det = compose(self.flows, base.z, context)
        return FlowLatent(z, base, log_det)

    def centre(self, features: Tensor) -> Tensor:
        """The mean of z0 sent through the flows, (b, latent): the mean of z has no closed form."""
        of_base, context = self._split(features)
        return compose(self.flows, self.base.centre(of_base), context)[0]

    @property
    def shared_flow(self) -> "Chain | None":
        """The flows as one, if all images share them."""
        return None if self.context else Chain(self.flows)

    def parameters_of(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log-variance of z0, (b, latent) each."""
        return self.base.parameters_of(self._split(features)[0])

    def _split(self, features: Tensor) -> tuple[Tensor, Tensor]:
        of_base, context = features.split([self.base.features, self.context], 1)
        return of_base, context.float()
