"""The network of dpVAEs for CelebA (Bhalodia et al., 2020, figure 10): strided convolutions down, nearest neighbours and convolutions up."""

from torch import nn

from vaeline.models.contracts import Context, Network, Posterior
from vaeline.models.networks._layers import SLOPE, Halves, require_size, require_vectors
from vaeline.study.parts import PartOptions


class Options(PartOptions):
    image_size = 64


def build(options: Options, context: Context, posterior: Posterior) -> Network:
    """Build encoder and decoder for images of 64x64.

    Raises:
        UserError: the images have another size, or the posterior takes a map.
    """
    require_size(context, options)
    require_vectors(posterior, options.name)
    channels = context.image_shape[0]
    latent = context.latent_shape[0] + context.decoder_condition
    encoder = nn.Sequential(
        *_encode(channels + context.encoder_condition, 32),  # 32x32
        *_encode(32, 64),  # 16x16
        *_encode(64, 128),  # 8x8
        *_encode(128, 256),  # 4x4
        *_encode(256, 256),  # 2x2
        nn.Flatten(),
        nn.Linear(1024, posterior.features),
    )
    decoder = nn.Sequential(
        nn.Linear(latent, 1024), nn.LeakyReLU(SLOPE), nn.Unflatten(1, (256, 2, 2)),
        *_decode(256, 256), nn.BatchNorm2d(256), nn.LeakyReLU(SLOPE),  # 4x4
        *_decode(256, 128), nn.BatchNorm2d(128), nn.LeakyReLU(SLOPE),  # 8x8
        *_decode(128, 64), nn.BatchNorm2d(64), nn.LeakyReLU(SLOPE),  # 16x16
        *_decode(64, 32), nn.BatchNorm2d(32), nn.LeakyReLU(SLOPE),  # 32x32
        *_decode(32, context.output_shape[0]),  # 64x64
    )  # fmt: skip
    return Halves(encoder, decoder)


def _encode(before: int, after: int) -> list[nn.Module]:
    conv = nn.Conv2d(before, after, 4, stride=2, padding=1, bias=False)
    return [conv, nn.BatchNorm2d(after), nn.LeakyReLU(SLOPE)]


def _decode(before: int, after: int) -> list[nn.Module]:
    return [nn.Upsample(scale_factor=2), nn.Conv2d(before, after, 3, padding=1, padding_mode="replicate")]
