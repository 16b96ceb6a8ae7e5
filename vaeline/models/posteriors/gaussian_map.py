"""A diagonal Gaussian over a map of latents, as in the autoencoder of latent diffusion (Rombach et al., 2022).

z is the map as one vector, (b, latent * rows * columns), so that priors, regularizers and estimators take it as any other;
the decoder gives it its shape again.
"""

from torch import Tensor

from vaeline.models.contracts import Context
from vaeline.models.part_checks import require_images
from vaeline.models.posteriors.gaussian import Gaussian
from vaeline.study.parts import PartOptions


class Options(PartOptions):
    pass


def build(options: Options, context: Context) -> "GaussianMap":
    """Build q(z|x); it needs two channels for each latent channel.

    Raises:
        UserError: the data are points, which have no map.
    """
    require_images(context, f"posterior {options.name}", "take posterior gaussian")
    return GaussianMap(context.latent_shape[0], squashed=False)


class GaussianMap(Gaussian):
    takes_map = True

    def parameters_of(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log-variance from features, (b, 2 latent, rows, columns): (b, latent * rows * columns) each."""
        mean, log_var = super().parameters_of(features)
        return mean.flatten(1), log_var.flatten(1)
