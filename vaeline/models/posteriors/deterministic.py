"""A point without a density, as in a plain autoencoder (Hinton and Salakhutdinov, 2006)."""

from torch import Tensor

from vaeline.models.contracts import Context, Posterior
from vaeline.models.latent import Kind, PointLatent
from vaeline.study.parts import PartOptions


class Options(PartOptions):
    pass


def build(options: Options, context: Context) -> "Deterministic":
    """Build z = encoder(x)."""
    return Deterministic(context.latent_shape[0])


class Deterministic(Posterior):
    kind: Kind = "point"

    def __init__(self, size: int) -> None:
        super().__init__()
        self.features = size

    def forward(self, features: Tensor) -> PointLatent:
        """The features, (b, latent), as z."""
        return PointLatent(self.centre(features))

    def centre(self, features: Tensor) -> Tensor:
        """The features, (b, latent)."""
        return features.float()
