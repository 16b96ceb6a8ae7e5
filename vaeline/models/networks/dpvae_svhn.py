"""The network of dpVAEs for SVHN (Bhalodia et al., 2020, figure 10): pairs of narrow convolutions, batch norm in the encoder."""

from torch import nn

from vaeline.models.contracts import Context, Network, Posterior
from vaeline.models.networks._layers import Halves, require_size, require_vectors
from vaeline.study.parts import PartOptions


class Options(PartOptions):
    image_size = 32


def build(options: Options, context: Context, posterior: Posterior) -> Network:
    """Build encoder and decoder for images of 32x32.

    Raises:
        UserError: the images have another size, or the posterior takes a map.
    """
    require_size(context, options)
    require_vectors(posterior, options.name)
    channels = context.image_shape[0]
    latent = context.latent_shape[0] + context.decoder_condition
    encoder = nn.Sequential(
        *_encode(channels + context.encoder_condition, 4, stride=2, padding=1),  # 16x16
        *_encode(32, 4, stride=2, padding=1),  # 8x8
        *_encode(32, 3),  # 6x6
        *_encode(32, 3),  # 4x4
        nn.Flatten(),
        nn.Linear(512, posterior.features),
    )
    decoder = nn.Sequential(
        nn.Linear(latent, 512), nn.ReLU(), nn.Unflatten(1, (32, 4, 4)),
        nn.ConvTranspose2d(32, 32, 3), nn.ReLU(), nn.Conv2d(32, 32, 3, padding=1), nn.ReLU(),  # 6x6
        nn.ConvTranspose2d(32, 32, 3), nn.ReLU(), nn.Conv2d(32, 32, 3, padding=1), nn.ReLU(),  # 8x8
        nn.ConvTranspose2d(32, 32, 4, stride=2, padding=1), nn.ReLU(), nn.Conv2d(32, 32, 3, padding=1), nn.ReLU(),  # 16x16
        nn.ConvTranspose2d(32, 32, 4, stride=2, padding=1), nn.ReLU(), nn.Conv2d(32, context.output_shape[0], 3, padding=1),  # 32x32
    )  # fmt: skip
    return Halves(encoder, decoder)


def _encode(channels: int, kernel: int, stride: int = 1, padding: int = 0) -> list[nn.Module]:
    """A convolution that shrinks the map, and one that keeps its size."""
    return [
        nn.Conv2d(channels, 32, kernel, stride, padding, bias=False), nn.BatchNorm2d(32), nn.ReLU(),
        nn.Conv2d(32, 32, 3, padding=1, bias=False), nn.BatchNorm2d(32), nn.ReLU(),
    ]  # fmt: skip
