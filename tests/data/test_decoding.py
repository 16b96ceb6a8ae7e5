"""Image files of every kind decode to pixels of one size."""

import io

import numpy as np
import pytest
from PIL import Image
from torchvision.transforms import v2

from tests.data.sets.sources import brought, encoded, picture
from vaeline.data.decoding import _decode_any, _decode_plain_jpeg, decode

BIG = picture(0, 218, 178)


@pytest.mark.parametrize(
    ("height", "width", "size"), [(218, 178, 86), (178, 218, 86), (218, 178, 64), (33, 20, 16), (8, 8, 8), (5, 9, 32)]
)
def test_resizing_and_cropping_agree_with_torchvision(height: int, width: int, size: int) -> None:
    image = picture(1, height, width)
    steps = v2.Compose([v2.PILToTensor(), v2.Resize(size, antialias=True), v2.CenterCrop(size)])
    pixels = brought(encoded(image, "PNG"), 3, size)
    assert pixels.shape == (3, size, size) and pixels.dtype == np.uint8
    assert np.abs(pixels.astype(int) - steps(image).numpy()).max() <= 1


def test_a_fine_pattern_is_averaged_when_resized() -> None:
    pattern = np.indices((128, 128)).sum(0) % 2 * 255
    pixels = brought(encoded(Image.fromarray(pattern.astype(np.uint8)), "PNG"), 1, 16)
    assert np.abs(pixels[:, 1:-1, 1:-1].astype(int) - 127).max() <= 2


def test_an_image_of_the_right_size_is_unchanged() -> None:
    image = picture(2, 16, 16)
    assert (brought(encoded(image, "PNG"), 3, 16) == np.asarray(image).transpose(2, 0, 1)).all()


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "CMYK", "RGB", "RGBA"])
@pytest.mark.parametrize("channels", [1, 3])
def test_images_of_any_mode_are_decoded(kind: str, mode: str, channels: int) -> None:
    if mode in {"JPEG": ("LA", "P", "RGBA"), "PNG": ("CMYK",)}[kind]:
        kind = "TIFF"
    pixels = brought(encoded(BIG.convert(mode), kind), channels, 86)
    grey = channels == 1 or mode in ("1", "L", "LA")
    expected = np.asarray(BIG.crop((0, 20, 178, 198)).convert("L" if grey else "RGB"))
    assert pixels.shape == (channels, 86, 86)
    assert abs(pixels.mean() - expected.mean()) < 2


def test_transparent_pixels_are_white() -> None:
    clear = Image.new("RGBA", (8, 8), (255, 0, 0, 0))
    assert (brought(encoded(clear, "PNG"), 3, 8) == 255).all()


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_a_sideways_photograph_is_turned_upright(kind: str) -> None:
    sideways = Image.Exif()
    sideways[0x0112] = 6  # the camera was turned a quarter
    image = Image.fromarray(np.repeat(np.array([[0] * 8 + [255] * 8], np.uint8), 16, axis=0))
    pixels = brought(encoded(image, kind, exif=sideways), 1, 16)[0].astype(int)
    assert pixels[:4].mean() < 10 and pixels[-4:].mean() > 245


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "BMP"])
@pytest.mark.parametrize("kept", [0.0, 0.1, 0.5, 0.99])
def test_a_truncated_image_is_refused(kind: str, kept: float) -> None:
    content = encoded(BIG, kind)
    with pytest.raises(ValueError):
        decode(content[: int(kept * len(content))], 3)


def test_more_than_8_bits_per_channel_are_refused() -> None:
    with pytest.raises(ValueError, match="more than 8 bits"):
        decode(encoded(Image.fromarray(np.full((8, 8), 40_000, np.uint16)), "PNG"), 1)


@pytest.mark.parametrize("subsampling", ["4:4:4", "4:2:2", "4:2:0"])
@pytest.mark.parametrize(("mode", "channels"), [("RGB", 3), ("L", 1)])
@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"quality": 20}])
def test_a_plain_jpeg_decodes_to_pillows_pixels(
    subsampling: str, mode: str, channels: int, options: dict[str, int]
) -> None:
    content = encoded(BIG.convert(mode), "JPEG", subsampling=subsampling, **options)
    pixels = _decode_plain_jpeg(content, channels)
    assert pixels is not None and (pixels == _decode_any(content, channels)).all()


@pytest.mark.parametrize(("mode", "channels"), [("RGB", 1), ("L", 3), ("CMYK", 3), ("CMYK", 1)])
def test_pillow_decodes_jpegs_of_other_colour_spaces(mode: str, channels: int) -> None:
    assert _decode_plain_jpeg(encoded(BIG.convert(mode), "JPEG"), channels) is None


def test_an_enormous_jpeg_is_refused_by_pillow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    with pytest.raises(ValueError, match="decompression bomb"):
        decode(encoded(BIG, "JPEG"), 3)


def test_resized_photographs_equal_pillows_up_to_rounding() -> None:
    """70 dB is a root mean square error of about a thousandth of the range."""
    content = encoded(BIG, "JPEG")
    resized = Image.open(io.BytesIO(content)).resize((86, 105), Image.Resampling.BILINEAR).crop((0, 10, 86, 96))
    error = brought(content, 3, 86).transpose(1, 2, 0).astype(float) - np.asarray(resized)
    assert 10 * np.log10(255**2 / np.square(error).mean()) > 70


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_pixels_fill_the_given_array_if_the_shape_fits(kind: str) -> None:
    content = encoded(BIG, kind)
    into = np.zeros((218, 178, 3), np.uint8)
    assert decode(content, 3, into) is into and (into == decode(content, 3)).all()
    other = np.zeros((178, 218, 3), np.uint8)
    assert decode(content, 3, other).shape == (218, 178, 3) and not other.any()
