"""No density at all: each image has one code, as in a plain autoencoder (Hinton and Salakhutdinov, 2006)."""

from torch import Tensor, nn

from vaeline.models.contracts import Context, Kind, Latent
from vaeline.study.parts import PartOptions


class Options(PartOptions):
    pass


def build(options: Options, context: Context) -> nn.Module:
    """Build z = encoder(x)."""
    return Deterministic(context.latent_shape[0])


class Deterministic(nn.Module):
    kind: Kind = "point"
    takes_map = False
    codes = 0

    def __init__(self, size: int) -> None:
        super().__init__()
        self.features = size

    def forward(self, features: Tensor) -> Latent:
        """Take features, (b, latent), for z; there is no density."""
        return Latent(self.centre(features))

    def centre(self, features: Tensor) -> Tensor:
        """The features themselves, (b, latent)."""
        return features.float()
