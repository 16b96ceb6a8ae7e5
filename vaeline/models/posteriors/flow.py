"""A Gaussian posterior made flexible by flows: z = f(z0), z0 ~ N(mean, var) (Rezende and Mohamed, 2015).

log q(z|x) = log q0(z0|x) - log|det df/dz0|. The flows' weights are shared by all images, or depend on each by features
of its own (the context of Kingma et al., 2016).
"""

from dataclasses import replace
from typing import Any, Literal

from pydantic import Field
from torch import Tensor, nn

from vaeline.models.contracts import Context, Kind, Latent
from vaeline.models.flows._compose import compose, undo
from vaeline.models.posteriors.gaussian import Gaussian
from vaeline.study import parts
from vaeline.study.parts import PartOptions, part


class Options(PartOptions):
    flows: list[part("flows")] = Field(  # type: ignore[valid-type]
        [{"name": "planar"}], min_length=1, validate_default=True, description="the maps that z0 goes through, in order"
    )
    context: int = Field(
        0, ge=0, le=4096, description="features of each image that the maps depend on; 0: the same maps for all images"
    )
    squash: Literal["none", "tanh"] = Field(
        "none", description="bounds mean and log-deviation of z0 to (-1, 1), as 'Transforming VAEs' does"
    )


def build(options: Any, context: Context) -> nn.Module:
    """Build the posterior out of a Gaussian base and flows."""
    context = replace(context, flow_context=options.context)
    flows = [parts.build("flows", flow, context) for flow in options.flows]
    return Flow(Gaussian(context.latent_shape[0], options.squash == "tanh"), flows, options.context)


class Flow(nn.Module):
    kind: Kind = "density"
    takes_map = False
    codes = 0

    def __init__(self, base: Gaussian, flows: list[nn.Module], context: int) -> None:
        super().__init__()
        self.base = base
        self.flows = nn.ModuleList(flows)
        self.context = context
        self.features = base.features + context

    def forward(self, features: Tensor) -> Latent:
        """Draw one z for each image out of features, (b, 2 latent + context)."""
        of_base, context = self._split(features)
        base = self.base(of_base)
        z, log_det = compose(self.flows, base.z, context)
        return Latent(z, base.log_q - log_det, log_det=log_det)

    def centre(self, features: Tensor) -> Tensor:
        """Where the flows take the mean of z0, (b, latent): z's own mean has no closed form."""
        of_base, context = self._split(features)
        return compose(self.flows, self.base.centre(of_base), context)[0]

    @property
    def shared_flow(self) -> "Chain | None":
        """The flows as one, where all images share them."""
        return None if self.context else Chain(self.flows)

    def parameters_of(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log-variance of z0, (b, latent) each."""
        return self.base.parameters_of(self._split(features)[0])

    def _split(self, features: Tensor) -> tuple[Tensor, Tensor]:
        of_base, context = features.split([self.base.features, self.context], 1)
        return of_base, context.float()


class Chain(nn.Module):
    """Flows one after the other, shared by all images."""

    def __init__(self, flows: nn.ModuleList) -> None:
        super().__init__()
        self.flows = flows

    def forward(self, z: Tensor, context: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Map z0, (b, latent), to z of the same shape and log|det dz/dz0|, (b,)."""
        return compose(self.flows, z, context)

    def inverse(self, u: Tensor, context: Tensor | None = None) -> Tensor:
        """Map z back to z0."""
        return undo(self.flows, u, context)
