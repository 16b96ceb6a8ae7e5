"""Decoding of image files, and resizing: the shorter side is resized with antialiasing, then the centre is cut out.

JPEG files, the most frequent ones, are decoded by libjpeg-turbo through simplejpeg, which gives the pixels of Pillow in half
the time. Pillow decodes all others. Torch resizes in a third of Pillow's time; it is loaded only if there is something to
resize.
"""

import io

import numpy as np
import simplejpeg
from PIL import Image, ImageOps, UnidentifiedImageError

MODES = {1: "L", 3: "RGB"}
DEEP = ("I", "F", "I;16", "I;16B", "I;16L")  # Pillow's modes of more than 8 bits a channel
STORED = {1: "Gray", 3: "YCbCr"}  # the colour space of a JPEG file that needs no conversion
DECODED = {1: "GRAY", 3: "RGB"}


def decode(encoded: bytes, channels: int, into: np.ndarray | None = None) -> np.ndarray:
    """Decode an image file of any format that Pillow reads.

    Args:
        encoded: the bytes of the file.
        channels: 1 (grey) or 3 (red, green, blue).
        into: an array for the pixels; it is returned if it has their shape.

    Returns:
        uint8, (height, width, channels).

    Raises:
        ValueError: the bytes are damaged, are not an image, or have more than 8 bits a channel.
    """
    pixels = _decode_plain_jpeg(encoded, channels, into)
    if pixels is None:
        pixels = _decode_any(encoded, channels)
    if into is None or pixels is into or pixels.shape != into.shape:
        return pixels
    into[...] = pixels
    return into


def _decode_plain_jpeg(encoded: bytes, channels: int, into: np.ndarray | None = None) -> np.ndarray | None:
    """Pixels of a JPEG file, (height, width, channels); None if it is damaged or unusual, so that Pillow has to decode it."""
    if encoded[:2] != b"\xff\xd8" or b"Exif\0" in encoded:  # Exif data may say that the image is rotated
        return None
    try:
        height, width, colours, _ = simplejpeg.decode_jpeg_header(encoded)
        if colours != STORED[channels] or height * width > (Image.MAX_IMAGE_PIXELS or 0):
            return None
        fits = into is not None and into.shape == (height, width, channels)
        pixels = simplejpeg.decode_jpeg(encoded, DECODED[channels], buffer=into if fits else None)
        return into if fits else pixels
    except ValueError:
        return None


def _decode_any(encoded: bytes, channels: int) -> np.ndarray:
    try:
        with Image.open(io.BytesIO(encoded)) as image:
            return np.atleast_3d(np.asarray(_plain(image, MODES[channels])))
    except UnidentifiedImageError as error:
        raise ValueError("it is not an image") from error
    except (OSError, SyntaxError, EOFError, Image.DecompressionBombError) as error:
        raise ValueError(str(error)) from error


def _plain(image: Image.Image, mode: str) -> Image.Image:
    """Turn an image upright, blend transparent pixels with white (their own colour is arbitrary), and convert it."""
    if image.mode in DEEP:
        raise ValueError(f"it has more than 8 bits a channel (mode {image.mode})")
    ImageOps.exif_transpose(image, in_place=True)
    if image.has_transparency_data:
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image.convert("RGBA"))
    return image if image.mode == mode else image.convert(mode)


def fit(images: np.ndarray, size: int, into: np.ndarray | None = None) -> np.ndarray:
    """Resize the shorter side to `size` with antialiasing and cut out the centre, like torchvision's Resize and CenterCrop.

    Args:
        images: uint8, (n, height, width, channels).
        size: height and width of the result, in pixels.
        into: a contiguous array for the result; it is returned.

    Returns:
        uint8, (n, channels, size, size).
    """
    count, height, width, channels = images.shape
    into = np.empty((count, channels, size, size), np.uint8) if into is None else into
    if height == width == size:
        into[...] = images.transpose(0, 3, 1, 2)
        return into
    import torch  # takes a second, which images of the right size save
    from torch.nn.functional import interpolate

    shorter = min(height, width)
    resized = (size * height // shorter, size * width // shorter)
    top, left = (round((side - size) / 2) for side in resized)
    pixels = torch.from_numpy(np.require(images, requirements=["C", "W"])).permute(0, 3, 1, 2)
    whole = interpolate(pixels, resized, mode="bilinear", antialias=True)
    torch.from_numpy(into).copy_(whole[..., top : top + size, left : left + size])
    return into
