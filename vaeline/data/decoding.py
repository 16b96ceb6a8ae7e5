"""Decoding of image files, and resizing to one shape with antialiasing.

JPEG files, the most frequent ones, are decoded by libjpeg-turbo through simplejpeg, which gives the pixels of Pillow in half
the time. Pillow decodes all others. Both ignore colour profiles and all metadata but the orientation, which is read here. Torch
resizes in a third of Pillow's time; it is loaded only if there is something to resize.
"""

import io
import re
import warnings
from functools import cache
from typing import Literal, NamedTuple

import numpy as np
import simplejpeg
from PIL import Image, UnidentifiedImageError

from vaeline.data import orientation

MODES = {1: "L", 3: "RGB"}
DEEP = ("I", "F")  # how Pillow's modes of more than 8 bits a channel begin
PROFILE = "Raw profile type exif"  # the text of a PNG file in which ImageMagick writes Exif data
DAMAGED = "Corrupt JPEG data"  # how libjpeg's message begins
STORED = {1: "Gray", 3: "YCbCr"}  # the colour space of a JPEG file that needs no conversion
DECODED = {1: "GRAY", 3: "RGB"}
# Formats that Pillow names but does not decode by itself. (It gives EPS to Ghostscript, a program that it would run.)
NOT_DECODED = {"BUFR", "EPS", "GRIB", "HDF5", "MPEG", "WMF"}
# A fourth channel of zeros is padding here. Nobody stores an image of these formats that is transparent everywhere.
PADDED = ("BMP", "DIB", "TGA")
STRIP = 16  # an image that is longer by this factor is cut before it is resized, because it would take gigabytes

# Pillow warns of large images, which are refused below by a sentence, and of malformed metadata, which are not used.
warnings.filterwarnings("ignore", module=r"PIL\.")


class Header(NamedTuple):
    """What an image file says of itself, before its pixels are decoded."""

    grey: bool
    frames: bool  # whether it has several frames or pages, of which the first is decoded
    transparent: bool  # whether it has an alpha channel or a transparent colour
    size: tuple[int, int]  # width and height in pixels, as stored


@cache
def formats() -> tuple[str, ...]:
    """The formats that the installed Pillow decodes."""
    Image.init()
    return tuple(name for name in Image.OPEN if name not in NOT_DECODED)


@cache
def suffixes() -> tuple[str, ...]:
    """The suffixes of the files that can be decoded, in lower case, sorted."""
    decoded = {*formats(), "MPO"}  # MPO is a JPEG file with several images
    return tuple(sorted(suffix for suffix, of in Image.registered_extensions().items() if of in decoded))


def header(encoded: bytes) -> Header:
    """Read the header of an image file.

    Raises:
        ValueError: it is none, or `decode` would refuse it for what its header says.
    """
    with _Opened(encoded) as image:
        several = image.format != "MPO" and bool(getattr(image, "is_animated", False))
        return Header(image.mode in ("1", "L", "LA"), several, image.has_transparency_data, image.size)


def decode(encoded: bytes, channels: int, into: np.ndarray | None = None) -> np.ndarray:
    """Decode an image file of any format that Pillow reads: its first frame, upright.

    Args:
        encoded: the bytes of the file.
        channels: 1 (grey) or 3 (red, green, blue).
        into: an array for the pixels; it is returned if it has their shape.

    Returns:
        uint8, (height, width, channels).

    Raises:
        ValueError: the bytes are damaged, are not an image, or have too many pixels or more than 8 bits a channel.
    """
    pixels = _decode_plain_jpeg(encoded, channels, into)
    if pixels is None:
        pixels = _decode_any(encoded, channels)
    if into is None or pixels is into or pixels.shape != into.shape:
        return pixels
    into[...] = pixels
    return into


def _decode_plain_jpeg(encoded: bytes, channels: int, into: np.ndarray | None = None) -> np.ndarray | None:
    """Pixels of a JPEG file, (height, width, channels); None if it is unusual, so that Pillow has to decode it.

    Raises:
        ValueError: its data are damaged.
    """
    if encoded[:2] != b"\xff\xd8":
        return None
    turn = orientation.of_jpeg(encoded) if b"Exif\0" in encoded else orientation.UPRIGHT
    try:
        height, width, colours, _ = simplejpeg.decode_jpeg_header(encoded)
        if colours != STORED[channels] or _too_many_pixels(width, height):
            return None
        fits = turn == orientation.UPRIGHT and into is not None and into.shape == (height, width, channels)
        pixels = simplejpeg.decode_jpeg(encoded, DECODED[channels], buffer=into if fits else None)
        return into if fits else orientation.upright(pixels, turn)
    except ValueError as error:
        if str(error).startswith(DAMAGED):  # Pillow would fill the gap with grey
            raise
        return None


def _decode_any(encoded: bytes, channels: int) -> np.ndarray:
    with _Opened(encoded) as image:
        return _upright(image, channels)


def pixels_of(image: Image.Image, channels: int) -> np.ndarray:
    """The pixels of an image that is open in Pillow, as `decode` gives those of its file.

    Args:
        image: of any mode; it stays open.
        channels: 1 (grey) or 3 (red, green, blue).

    Returns:
        uint8, (height, width, channels).

    Raises:
        ValueError: the image cannot be read, or has too many pixels or more than 8 bits a channel.
    """
    _check(image)
    try:
        return _upright(image, channels)
    except Exception as error:
        raise _reason(error) from error


class _Opened:
    """An image that Pillow has opened. Whatever Pillow raises inside of the block becomes a ValueError with the reason.

    Pillow's readers raise exceptions of many types on damaged files: OSError, SyntaxError, struct.error, IndexError and others.
    """

    def __init__(self, encoded: bytes) -> None:
        self.encoded = encoded

    def __enter__(self) -> Image.Image:
        if not self.encoded:
            raise ValueError("it is empty")
        try:
            self.image = Image.open(io.BytesIO(self.encoded), formats=formats())
        except Exception as error:
            raise _reason(error) from error
        _check(self.image)
        return self.image

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        self.image.close()
        if isinstance(error, Exception):
            raise _reason(error) from error


def _reason(error: Exception) -> ValueError:
    if isinstance(error, UnidentifiedImageError):
        return ValueError("it is not an image of a format that Pillow reads")
    if isinstance(error, Image.DecompressionBombError):
        return ValueError(f"it has more than {Image.MAX_IMAGE_PIXELS or 0:,} pixels; make it smaller")
    words = " ".join(str(error).split())[:200]
    return error if isinstance(error, ValueError) and words else ValueError(words or type(error).__name__)


def _check(image: Image.Image) -> None:
    """Refuse an image for what is known of it before its pixels are decoded."""
    if image.mode.startswith(DEEP) or any(re.search(";16[BLN]$", str(part)) for part in _raw_modes(image)):
        raise ValueError(f"it has more than 8 bits a channel (mode {image.mode}); convert it to 8 bits")
    if _too_many_pixels(*image.size):
        raise ValueError(_size_words(*image.size))


def _raw_modes(image: Image.Image) -> list[object]:
    """How the samples of an image lie in its file, in Pillow's words."""
    found: list[object] = []
    for tile in getattr(image, "tile", []):
        found += tile.args if isinstance(tile.args, tuple) else [tile.args]
    return found


def _too_many_pixels(width: int, height: int) -> bool:
    most = Image.MAX_IMAGE_PIXELS
    return most is not None and width * height > most


def _size_words(width: int, height: int) -> str:
    return f"it has {width:,} x {height:,} pixels, more than {Image.MAX_IMAGE_PIXELS:,}; make it smaller"


def _upright(image: Image.Image, channels: int) -> np.ndarray:
    """The pixels of an image, (height, width, channels). Pillow turns TIFF images by itself, and gives no Exif data of them."""
    image.load()  # a PNG file may have Exif data behind its pixels
    exif = image.info.get("exif")
    turn = orientation.of_exif(exif) if exif else orientation.of_profile(image.info.get(PROFILE, ""))
    return orientation.upright(np.atleast_3d(np.asarray(_plain(image, MODES[channels]))), turn)


def _plain(image: Image.Image, mode: str) -> Image.Image:
    """Blend transparent pixels with white (their own colour is arbitrary), and convert an image."""
    if image.format in PADDED and image.mode == "RGBA" and not image.getchannel("A").getbbox():
        image = image.convert("RGB")
    if image.has_transparency_data:
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image.convert("RGBA"))
    return image if image.mode == mode else image.convert(mode)


def fit(
    images: np.ndarray,
    shape: tuple[int, int],
    how: Literal["crop", "pad", "stretch"] = "crop",
    into: np.ndarray | None = None,
) -> np.ndarray:
    """Resize images to one shape with antialiasing.

    Args:
        images: uint8, (n, height, width, channels).
        shape: height and width of the result, in pixels.
        how: `crop` resizes to cover the shape and cuts out the centre, like torchvision's Resize and CenterCrop; `pad` resizes to fit
            inside of it and adds black bars; `stretch` resizes each side by itself.
        into: a contiguous array for the result; it is returned.

    Returns:
        uint8, (n, channels, *shape).
    """
    count, *sides, channels = images.shape
    into = np.empty((count, channels, *shape), np.uint8) if into is None else into
    if tuple(sides) == shape:
        into[...] = images.transpose(0, 3, 1, 2)
        return into
    import torch  # takes a second, which images of the right size save
    from torch.nn.functional import interpolate

    images = _without_far_ends(images, shape) if how == "crop" else images
    resized = shape if how == "stretch" else _scaled(images.shape[1:3], shape, cover=how == "crop")
    pixels = torch.from_numpy(np.require(images, requirements=["C", "W"])).permute(0, 3, 1, 2)
    whole, target = interpolate(pixels, resized, mode="bilinear", antialias=True), torch.from_numpy(into)
    if how == "pad":
        top, left = ((side - part) // 2 for side, part in zip(shape, resized, strict=True))
        target.zero_()
        target[..., top : top + resized[0], left : left + resized[1]] = whole
        return into
    top, left = (round((part - side) / 2) for side, part in zip(shape, resized, strict=True))
    target.copy_(whole[..., top : top + shape[0], left : left + shape[1]])
    return into


def _scaled(sides: tuple[int, ...], shape: tuple[int, int], cover: bool) -> tuple[int, int]:
    """The sides of an image that keeps its proportions, and covers a shape or fits inside of it."""
    (height, width), (high, wide) = sides, shape
    if (wide * height >= high * width) == cover:
        return max(1, wide * height // width), wide
    return high, max(1, high * width // height)


def _without_far_ends(images: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Very long images cut to what is visible of them, and as much as they are wide on either side: more than the filter reaches."""
    height, width = images.shape[1:3]
    high, wide = shape
    visible = (-(-width * high // wide), -(-height * wide // high))  # of each side, if the other one is visible whole
    kept = [
        side if side <= STRIP * max(other, part) else part + 2 * other
        for side, other, part in zip((height, width), (width, height), visible, strict=True)
    ]
    top, left = (height - kept[0]) // 2, (width - kept[1]) // 2
    return images[:, top : height - top, left : width - left]
