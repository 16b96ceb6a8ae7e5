"""Nothing beside the distortion: a plain autoencoder; or, under the importance-weighted bound, beside the bound."""

from torch import Tensor

from vaeline.contracts import Context, Latent, Prior
from vaeline.parts import PartOptions


class Options(PartOptions):
    pass


def build(options: Options, context: Context) -> "Nothing":
    """Build no term at all."""
    return Nothing()


class Nothing:
    def __call__(
        self, latent: Latent, rate: Tensor | None, prior: Prior, condition: Tensor | None, step: int | None
    ) -> dict[str, Tensor]:
        """No terms."""
        return {}
