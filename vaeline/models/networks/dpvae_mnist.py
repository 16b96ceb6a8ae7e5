"""The network of dpVAEs for MNIST (Bhalodia et al., 2020, figure 10), after Burgess et al. (2018): convolutions, then two wide layers."""

from torch import nn

from vaeline.models.contracts import Context, Network, Posterior
from vaeline.models.networks._layers import Halves, require_size, require_vectors
from vaeline.study.parts import PartOptions


class Options(PartOptions):
    image_size = 28


def build(options: Options, context: Context, posterior: Posterior) -> Network:
    """Build encoder and decoder for images of 28x28.

    Raises:
        UserError: the images have another size, or the posterior takes a map.
    """
    require_size(context, options)
    require_vectors(posterior, options.name)
    channels = context.image_shape[0]
    latent = context.latent_shape[0] + context.decoder_condition
    encoder = nn.Sequential(
        nn.Conv2d(channels + context.encoder_condition, 32, 4, stride=2, padding=1), nn.ReLU(),  # 14x14
        nn.Conv2d(32, 32, 3), nn.ReLU(),  # 12x12
        nn.Conv2d(32, 32, 4, stride=2, padding=1), nn.ReLU(),  # 6x6
        nn.Conv2d(32, 32, 3), nn.ReLU(),  # 4x4
        nn.Flatten(), nn.Linear(512, 256), nn.ReLU(),
        nn.Linear(256, 256), nn.ReLU(),
        nn.Linear(256, posterior.features),
    )  # fmt: skip
    decoder = nn.Sequential(
        nn.Linear(latent, 256), nn.ReLU(),
        nn.Linear(256, 256), nn.ReLU(),
        nn.Linear(256, 512), nn.ReLU(), nn.Unflatten(1, (32, 4, 4)),
        nn.ConvTranspose2d(32, 32, 3), nn.ReLU(),  # 6x6
        nn.ConvTranspose2d(32, 32, 4, stride=2, padding=1), nn.ReLU(),  # 12x12
        nn.ConvTranspose2d(32, 32, 3), nn.ReLU(),  # 14x14
        nn.ConvTranspose2d(32, context.output_shape[0], 4, stride=2, padding=1),  # 28x28
    )  # fmt: skip
    return Halves(encoder, decoder)
