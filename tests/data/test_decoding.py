"""Image files of every kind decode to pixels of one size."""

import io
import itertools
import struct
import subprocess
import sys
import zlib
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image, ImageOps
from torchvision.transforms import v2

from tests.data.sets.sources import brought, encoded, picture
from tests.data.test_orientation import exif
from vaeline.data import decoding
from vaeline.data.decoding import _decode_any, _decode_plain_jpeg, decode, fit, header, suffixes

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


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF"])
@pytest.mark.parametrize(
    "most", [1000, 30_000]
)  # Pillow refuses an image of twice the limit, and warns of a smaller one
@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_an_enormous_image_is_refused(kind: str, most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", most)
    with pytest.raises(ValueError, match=f"more than {most:,}.*make it smaller"):
        decode(encoded(BIG, kind), 3)


def test_pillows_warnings_do_not_reach_the_user() -> None:
    code = """
import io
from PIL import Image
from vaeline.data.decoding import decode
Image.MAX_IMAGE_PIXELS = 40
try:
    file = io.BytesIO()
    Image.new("L", (8, 8)).save(file, "PNG")
    decode(file.getvalue(), 1)
except ValueError as error:
    print(error)
"""
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=Path(__file__).parents[2])
    assert (ended.stdout, ended.stderr) == ("it has 8 x 8 pixels, more than 40; make it smaller\n", "")


def with_segment(jpeg: bytes, content: bytes, marker: int = 0xE1, place: int = 1) -> bytes:
    """A JPEG file with one more segment, in front of the segment number `place`."""
    at = 2
    for _ in range(place):
        at += 2 + int.from_bytes(jpeg[at + 2 : at + 4], "big")
    return jpeg[:at] + bytes([0xFF, marker]) + (len(content) + 2).to_bytes(2, "big") + content + jpeg[at:]


SIDEWAYS = {f"turned {turn}": exif(3, 1, struct.pack("<HH", turn, 0)) for turn in range(10)}
METADATA = {
    **SIDEWAYS,
    "turned, big-endian": exif(3, 1, struct.pack(">HH", 6, 0), ">"),
    "a long number": exif(4, 1, struct.pack("<I", 8)),
    "a word": exif(2, 2, b"6\0\0\0"),
    "a rational": exif(5, 1, struct.pack("<I", 8)),
    "two numbers": exif(3, 2, struct.pack("<HH", 6, 6)),
    "cut short": exif(3, 1, b"\6\0\0\0")[:30],
    "nothing": b"Exif\0\0",
    "of no order": b"Exif\0\0XX*\0",
    "XMP that says it is turned": b"http://ns.adobe.com/xap/1.0/\0<x tiff:Orientation='6' tiff:Orientation=\"6\"/>",
    "a thumbnail": exif(3, 1, b"\3\0\0\0") + encoded(BIG.resize((16, 16)), "JPEG"),
    "words of Exif": b"about Exif\0\0 data",
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("metadata", METADATA.values(), ids=METADATA)
@pytest.mark.parametrize("place", [0, 1, 3])
def test_metadata_does_not_make_two_decoders_differ(metadata: bytes, place: int) -> None:
    content = with_segment(encoded(BIG, "JPEG"), metadata, place=place)
    plain = _decode_plain_jpeg(content, 3)
    assert plain is not None and (plain == _decode_any(content, 3)).all()
    assert (decode(content, 3) == plain).all()


@pytest.mark.parametrize("turn", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_every_orientation_is_that_of_pillow(turn: int, kind: str) -> None:
    sideways = Image.Exif()
    sideways[0x0112] = turn
    content = encoded(picture(3, 7, 5), kind, exif=sideways)
    expected = ImageOps.exif_transpose(Image.open(io.BytesIO(content)))
    assert (decode(content, 3) == np.asarray(expected.convert("RGB"))).all()


def with_chunk(png: bytes, kind: bytes, content: bytes, before: bytes) -> bytes:
    """A PNG file with one more chunk, in front of that of the kind `before`."""
    at = png.index(before) - 4
    return png[:at] + chunk(kind, content) + png[at:]


@pytest.mark.parametrize("turn", [1, 3, 6])
@pytest.mark.parametrize("before", [b"IDAT", b"IEND"])
@pytest.mark.parametrize("kind", [b"eXIf", b"tEXt", b"zTXt"])
def test_a_png_may_have_its_orientation_anywhere(kind: bytes, before: bytes, turn: int) -> None:
    """ImageMagick writes Exif data as a text in hexadecimal digits, and some programs write them behind the pixels."""
    content = exif(3, 1, struct.pack("<HH", turn, 0))
    text = f"\nexif\n{len(content):8}\n{content[:36].hex()}\n{content[36:].hex()}\n".encode()
    name = b"Raw profile type exif\0"
    written = {
        b"eXIf": content.removeprefix(b"Exif\0\0"),
        b"tEXt": name + text,
        b"zTXt": name + b"\0" + zlib.compress(text),
    }
    turned = with_chunk(encoded(picture(3, 7, 5), "PNG"), kind, written[kind], before)
    expected = ImageOps.exif_transpose(Image.open(io.BytesIO(turned)))
    assert (decode(turned, 3) == np.asarray(expected)).all()


@pytest.mark.parametrize("profile", ["", "exif", "\nexif\n 4\nxyz\n", "\nexif\n 4\n4578\n"])
def test_a_malformed_text_of_exif_data_turns_nothing(profile: str) -> None:
    content = encoded(picture(3, 7, 5), "PNG")
    turned = with_chunk(content, b"tEXt", b"Raw profile type exif\0" + profile.encode(), b"IDAT")
    assert (decode(turned, 3) == decode(content, 3)).all()


def generated_jpegs() -> Iterator[tuple[Image.Image, dict[str, Any]]]:
    """Every combination of size, sampling and coding, with restart markers, profiles and comments in turn."""
    extras = itertools.cycle(
        [{}, {"restart_marker_blocks": 2}, {"icc_profile": b"Exif\0\0" * 40}, {"comment": b"Exif\0\0II*\0"}]
    )
    sizes, samplings = [(1, 1), (7, 9), (16, 16), (33, 18), (64, 50)], ["4:4:4", "4:2:2", "4:2:0", "4:1:1", "keep"]
    for (height, width), sampling, progressive, quality in itertools.product(
        sizes, samplings, (False, True), (5, 75, 100)
    ):
        if sampling != "keep":
            options = {"subsampling": sampling, "progressive": progressive, "quality": quality}
            yield picture(quality, height, width), options | next(extras)


def test_both_decoders_agree_on_generated_jpegs() -> None:
    """Both are builds of libjpeg-turbo, so that their pixels are equal, and not only close."""
    tried = 0
    for image, options in generated_jpegs():
        for mode, channels in (("RGB", 3), ("L", 1)):
            content = encoded(image.convert(mode), "JPEG", **options)
            plain = _decode_plain_jpeg(content, channels)
            assert plain is not None and (plain == _decode_any(content, channels)).all(), options
            tried += 1
    assert tried == 240


@pytest.mark.parametrize("transform", [None, 0, 1, 2])
def test_the_marker_of_adobe_means_the_same_to_both_decoders(transform: int | None) -> None:
    content = encoded(BIG, "JPEG")
    if transform is not None:
        content = with_segment(content, b"Adobe\0\x64\0\0\0\0" + bytes([transform]), marker=0xEE)
    plain = _decode_plain_jpeg(content, 3)
    assert plain is None or (plain == _decode_any(content, 3)).all()


def test_a_bitmap_with_an_empty_alpha_channel_is_opaque() -> None:
    red = Image.new("RGBA", (8, 8), (255, 0, 0, 0))
    for kind in ("BMP", "TGA"):
        content = encoded(red, kind)
        if kind == "BMP":  # Pillow writes no alpha mask: the header of 40 bytes becomes one of 56 bytes with masks
            masks = struct.pack("<4I", 0xFF0000, 0xFF00, 0xFF, 0xFF000000)
            head = bytearray(content[14:54])
            head[0:4], head[16:20] = struct.pack("<I", 56), struct.pack("<I", 3)
            content = content[:10] + struct.pack("<I", 70) + bytes(head) + masks + content[54:]
        assert Image.open(io.BytesIO(content)).mode == "RGBA"
        assert (decode(content, 3) == [255, 0, 0]).all()
    assert (decode(encoded(red, "PNG"), 3) == 255).all()


@pytest.mark.parametrize(("height", "width"), [(2, 30_000), (30_000, 2), (1, 1000), (3, 1001)])
def test_a_long_strip_is_its_centre_and_takes_little_memory(height: int, width: int) -> None:
    strip = np.random.default_rng(0).integers(0, 256, (1, height, width, 3), dtype=np.uint8)
    strip[:, : max(1, height // 3)] = strip[:, :, : max(1, width // 3)] = 9  # the far ends do not count
    shorter = min(height, width)
    middle = tuple(
        slice((side - shorter) // 2 - 5 if side > shorter else 0, (side + shorter) // 2 + 5) for side in (height, width)
    )
    assert (
        np.abs(
            fit(strip, (64, 64)).astype(int).mean((0, 2, 3)) - fit(strip[:, *middle], (64, 64)).mean((0, 2, 3))
        ).max()
        < 12
    )
    assert fit(strip, (64, 64)).shape == (1, 3, 64, 64)
    assert max(decoding._without_far_ends(strip, (64, 64)).shape[1:3]) <= 3 * shorter + 1


@pytest.mark.parametrize("width", [90, 91])
def test_a_long_strip_is_resized_as_it_was_before_the_cut(width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    strip = np.random.default_rng(0).integers(0, 256, (1, 4, width, 3), dtype=np.uint8)
    cut = fit(strip, (16, 16)).astype(int)
    monkeypatch.setattr(decoding, "STRIP", 1000)
    assert np.abs(fit(strip, (16, 16)) - cut).max() <= 1


@pytest.mark.parametrize("mode", ["I;16", "RGB"])
def test_more_than_8_bits_are_refused_with_a_remedy(mode: str) -> None:
    deep = Image.fromarray(np.full((8, 8), 40_000, np.uint16))
    content = deep_png() if mode == "RGB" else encoded(deep, "PNG")
    for read in (header, partial(decode, channels=3)):
        with pytest.raises(ValueError, match="more than 8 bits a channel .*; convert it to 8 bits"):
            read(content)


def deep_png() -> bytes:
    """A coloured PNG file of 8x8 pixels and 16 bits a channel, which Pillow does not write."""
    rows = zlib.compress(b"".join(b"\0" + bytes(48) for _ in range(8)))
    content = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 8, 8, 16, 2, 0, 0, 0))
    return content + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


@pytest.mark.parametrize("kind", ["GIF", "TIFF", "WEBP", "PNG"])
def test_the_first_frame_is_taken_and_the_others_are_noticed(kind: str) -> None:
    frames = [Image.new("L", (8, 8), grey) for grey in (10, 200)]
    several = encoded(frames[0], kind, save_all=True, append_images=frames[1:], lossless=True)
    assert abs(decode(several, 1).mean() - 10) <= 1
    assert header(several).frames and not header(encoded(frames[0], kind)).frames


def test_what_pillow_cannot_read_is_no_image() -> None:
    assert {".avif", ".jfif", ".jp2", ".tga", ".jpg", ".png", ".webp", ".mpo"} <= set(suffixes())
    assert not {".heic", ".eps", ".pdf", ".h5", ".mpg", ".txt", ".csv"} & set(suffixes())


@pytest.mark.parametrize("kind", ["AVIF", "JPEG2000", "TGA", "WEBP", "PPM", "ICO", "PCX", "QOI", "SGI"])
def test_less_frequent_formats_are_decoded(kind: str) -> None:
    assert np.abs(decode(encoded(picture(5, 32, 32), kind), 3).mean() - np.asarray(picture(5, 32, 32)).mean()) < 2


@pytest.mark.filterwarnings("ignore")
def test_bytes_that_are_damaged_anywhere_end_in_a_value_error() -> None:
    generator = np.random.default_rng(0)
    for kind in ("PNG", "GIF", "BMP", "TIFF", "WEBP", "TGA", "PPM", "ICO", "JPEG", "PCX", "QOI", "SGI"):
        whole = np.frombuffer(encoded(picture(1, 12, 12), kind), np.uint8)
        for _ in range(60):
            damaged = whole.copy()
            damaged[generator.integers(0, min(len(whole), 120), 3)] = generator.integers(0, 256, 3)
            with suppress(ValueError):
                assert decode(damaged.tobytes(), 3).dtype == np.uint8


@pytest.mark.parametrize("damage", ["cut", "hole"])
def test_a_jpeg_with_damaged_data_is_refused(damage: str) -> None:
    """Pillow would fill the gap with grey."""
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8))
    whole = encoded(noise, "JPEG")
    middle = len(whole) // 2
    content = {"cut": whole[: len(whole) // 3] + b"\xff\xd9", "hole": whole[:middle] + bytes(40) + whole[middle + 40 :]}
    with pytest.raises(ValueError, match="Corrupt JPEG data"):
        decode(content[damage], 3)


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


@pytest.mark.parametrize("read", [header, lambda encoded: decode(encoded, 3)])
def test_an_empty_file_is_called_empty(read: Any) -> None:
    with pytest.raises(ValueError, match="^it is empty$"):
        read(b"")


@pytest.mark.parametrize(
    ("how", "sides", "shape"),
    [("crop", (8, 24), (8, 12)), ("crop", (40, 12), (20, 12)), ("pad", (8, 24), (16, 24)), ("stretch", (5, 7), (8, 12))],
)  # fmt: skip
def test_images_are_brought_to_a_rectangle(how: str, sides: tuple[int, int], shape: tuple[int, int]) -> None:
    images = np.random.default_rng(0).integers(0, 256, (2, *sides, 3), dtype=np.uint8)
    found = fit(images, shape, how)  # type: ignore[arg-type]
    assert found.shape == (2, 3, *shape)
    planes = images.transpose(0, 3, 1, 2)
    if how == "crop":  # no scale is needed, so that the pixels are those of the centre
        top, left = ((side - part) // 2 for side, part in zip(sides, shape, strict=True))
        np.testing.assert_array_equal(found, planes[..., top : top + shape[0], left : left + shape[1]])
    elif how == "pad":
        np.testing.assert_array_equal(found[..., 4:12, :], planes)
        assert not found[..., :4, :].any() and not found[..., 12:, :].any()
    else:
        whole = torch.nn.functional.interpolate(torch.from_numpy(planes), shape, mode="bilinear", antialias=True)
        np.testing.assert_array_equal(found, whole.numpy())


def test_a_very_long_image_is_cut_to_what_a_rectangle_shows() -> None:
    long = np.random.default_rng(0).integers(0, 256, (1, 400, 8, 1), dtype=np.uint8)
    np.testing.assert_array_equal(fit(long, (4, 4)), fit(long[:, 188:212], (4, 4)))
    assert fit(long, (100, 4)).shape == (1, 1, 100, 4)
    whole = torch.nn.functional.interpolate(
        torch.from_numpy(long.transpose(0, 3, 1, 2)), (200, 4), mode="bilinear", antialias=True
    )
    np.testing.assert_array_equal(fit(long, (200, 4)), whole.numpy())


def test_a_very_long_image_is_padded_whole() -> None:
    found = fit(np.full((1, 400, 2, 1), 255, np.uint8), (8, 8), "pad")
    assert (found[..., 3] == 255).all() and not found[..., [0, 1, 2, 4, 5, 6, 7]].any()
