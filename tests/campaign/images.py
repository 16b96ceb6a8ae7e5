"""Damaged and odd image files, decoded by us and by Pillow alone, and files whose pixels are known from before they were written.

The oracle opens a file with Pillow, turns it by its EXIF orientation, lays it on white and converts it. What we decode has
the same size and, within the tolerance of a second decoder, the same pixels. Some files are written byte by byte, without
Pillow; they need no decoder as an oracle.
"""

import io
import math
import struct
import warnings
import zlib
from collections.abc import Callable
from random import Random
from typing import Any

import numpy as np
from PIL import Image

from tests.campaign import mutations
from tests.campaign.isolated import attempt
from tests.campaign.kind import Grounds, Judge, Kind
from tests.campaign.outcome import Case, Outcome, Verdict
from vaeline.data.decoding import decode
from vaeline.system.errors import UserError

CLOSE = 2  # levels between two decoders of one JPEG file, in any pixel
WEIGHTS = (0.299, 0.587, 0.114)  # of red, green and blue in grey (ITU-R BT.601)
TURNS = {
    2: (False, True),
    3: (True, True),
    4: (True, False),
}  # orientation -> flipped from top to bottom, from left to right
ORIENTATION = 0x0112


def prepare(grounds: Grounds) -> Judge:
    """The judge of image files."""

    def judge(case: Case) -> Verdict:
        random = case.random()
        make = random.choice((*MAKERS, _by_hand, _by_hand))
        content, what, channels = b"", make.__name__.strip("_"), random.choice([1, 3])
        if make is _by_hand:
            return _known(*_by_hand(random), channels)
        content = make(random)
        if random.random() < 0.5:
            content, what = mutations.bytes_of(random, content), f"{what}, damaged"
        return judged(content, channels, what, ambiguous=make is _mistyped_exif)

    return judge


def judged(content: bytes, channels: int, what: str, ambiguous: bool = False) -> Verdict:
    """Decode a file twice, and compare.

    Args:
        content: of the file.
        channels: 1 or 3.
        what: the file is.
        ambiguous: whether its metadata contradict themselves, so that every orientation is right.
    """
    reply = attempt(lambda: _ours(content, channels))
    if reply.outcome is not Outcome.RIGHT:
        return Verdict(reply.outcome, what, reply.said)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = attempt(lambda: plain(content, channels))
    if theirs.outcome is not Outcome.RIGHT:
        return Verdict(Outcome.SILENT, what, f"Pillow refuses it: {theirs.said[-300:]}")
    right = [upright(theirs.value, orientation) for orientation in range(1, 9)] if ambiguous else [theirs.value]
    differences = [_difference(reply.value, each) for each in right if each.shape == reply.value.shape]
    if not differences:
        return Verdict(Outcome.SILENT, what, f"shape {reply.value.shape}; right is {theirs.value.shape}")
    difference = min(differences)
    silent = difference > CLOSE
    return Verdict(
        Outcome.SILENT if silent else Outcome.RIGHT, what, f"{difference:.1f} levels apart" if silent else ""
    )


def _known(content: bytes, right: np.ndarray, what: str, channels: int) -> Verdict:
    """Whether a file is decoded to the pixels that were written into it, (height, width, 3)."""
    reply = attempt(lambda: _ours(content, channels))
    if reply.outcome is not Outcome.RIGHT:  # there is no reason to refuse it
        return Verdict(Outcome.SILENT if reply.outcome is Outcome.SENTENCE else reply.outcome, what, reply.said)
    if channels == 1:
        right = right @ np.array(WEIGHTS)[:, None]
    same_shape = reply.value.shape == right.shape
    difference = _difference(reply.value, right) if same_shape else math.inf
    allowed = 0 if channels == 3 else 1  # grey is rounded
    return Verdict(Outcome.SILENT if difference > allowed else Outcome.RIGHT, what, f"{difference:.1f} levels apart")


def _ours(content: bytes, channels: int) -> np.ndarray:
    """What preprocessing decodes, which makes a sentence of a ValueError."""
    try:
        return decode(content, channels)
    except ValueError as error:
        raise UserError(str(error) or "it cannot be decoded") from error


def plain(content: bytes, channels: int) -> np.ndarray:
    """The pixels by Pillow, (height, width, channels)."""
    with Image.open(io.BytesIO(content)) as image:
        image.load()  # which turns a TIFF file by itself
        orientation = _orientation(image)
        shown = image
        if image.has_transparency_data:
            shown = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image.convert("RGBA"))
        return upright(np.atleast_3d(np.asarray(shown.convert({1: "L", 3: "RGB"}[channels]))), orientation)


def _difference(one: np.ndarray, other: np.ndarray) -> float:
    """The largest distance of pixels, in levels."""
    return float(np.abs(one.astype(float) - other.astype(float)).max())


def upright(pixels: np.ndarray, orientation: int) -> np.ndarray:
    """Turn pixels, (height, width, channels), that were stored in one of the eight orientations of EXIF."""
    if orientation >= 5:
        pixels = pixels.swapaxes(0, 1)
        orientation = {5: 1, 6: 2, 7: 3, 8: 4}[orientation]
    up_down, left_right = TURNS.get(orientation, (False, False))
    pixels = pixels[::-1] if up_down else pixels
    return pixels[:, ::-1] if left_right else pixels


def _orientation(image: Image.Image) -> int:
    try:
        orientation = image.getexif().get(ORIENTATION, 1)
    except Exception:  # damage in metadata says nothing about the pixels
        return 1
    return orientation if orientation in range(1, 9) else 1


def pixels(random: Random, height: int = 24, width: int = 17) -> np.ndarray:
    """A smooth picture without symmetry, (height, width, 3)."""
    corners = np.random.default_rng(random.randrange(2**32)).integers(0, 256, (3, 4, 3), dtype=np.uint8)
    return np.asarray(Image.fromarray(corners).resize((width, height), Image.Resampling.BILINEAR))


def saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    """The bytes of an image file."""
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def _by_hand(random: Random) -> tuple[bytes, np.ndarray, str]:
    """A file that is written byte by byte, its pixels as they should be shown, (height, width, 3), and what it is."""
    shown = pixels(random)
    if random.random() < 0.3:
        shown = np.repeat(shown[..., :1], 3, axis=2)
    write = random.choice([_pnm_by_hand, _bmp_by_hand, _png_by_hand, _png_by_hand])
    return write(random, shown), shown, write.__name__.strip("_")


def _pnm_by_hand(random: Random, shown: np.ndarray) -> bytes:
    height, width = shown.shape[:2]
    note = random.choice([b"", b"# 12 13\n"])
    if (shown == shown[..., :1]).all() and random.random() < 0.5:
        return b"P5\n" + note + f"{width} {height}\n255\n".encode() + shown[..., 0].tobytes()
    return b"P6\n" + note + f"{width} {height}\n255\n".encode() + shown.tobytes()


def _bmp_by_hand(random: Random, shown: np.ndarray) -> bytes:
    """A bitmap of 24 bits, whose rows go up or down and are padded to four bytes."""
    height, width = shown.shape[:2]
    up = random.random() < 0.5
    rows = np.pad((shown[::-1] if up else shown)[..., ::-1].reshape(height, -1), ((0, 0), (0, -3 * width % 4)))
    header = struct.pack("<IiiHHIIiiII", 40, width, height if up else -height, 1, 24, 0, rows.size, 2835, 2835, 0, 0)
    return b"BM" + struct.pack("<IHHI", 54 + rows.size, 0, 0, 54) + header + rows.tobytes()


def _png_by_hand(random: Random, shown: np.ndarray) -> bytes:
    """A PNG file with any filter of rows, any orientation, and perhaps a channel of opacity or a transparent colour that no pixel has."""
    orientation = random.choice([None, *range(1, 9)])
    stored = _stored(shown, orientation or 1)
    height, width = stored.shape[:2]
    kind, rows, extra = 2, stored, b""
    if random.random() < 0.3:
        kind, rows = 6, np.concatenate([stored, np.full((height, width, 1), 255, np.uint8)], axis=2)
    elif random.random() < 0.3:
        colours = set(map(tuple, stored.reshape(-1, 3).tolist()))
        free = next((value,) * 3 for value in range(256) if (value,) * 3 not in colours)
        extra = _chunk(b"tRNS", struct.pack(">HHH", *free))
    if orientation:
        exif = b"II*\0" + struct.pack("<IHHHIHHI", 8, 1, ORIENTATION, 3, 1, orientation, 0, 0)
        extra += _chunk(b"eXIf", exif)
    body = b"".join(_filtered(random.randrange(3), rows, row) for row in range(height))
    return (
        b"\x89PNG\r\n\x1a\n"
        + _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, kind, 0, 0, 0))
        + extra
        + _chunk(b"IDAT", zlib.compress(body))
        + _chunk(b"IEND", b"")
    )


def _filtered(number: int, pixels: np.ndarray, row: int) -> bytes:
    """A row of a PNG file under one of the filters `none`, `sub` and `up`."""
    line = pixels[row].astype(int)
    before = np.zeros_like(line)
    if number == 1:
        before[1:] = line[:-1]
    elif number == 2 and row:
        before = pixels[row - 1].astype(int)
    return bytes([number]) + ((line - before) % 256).astype(np.uint8).tobytes()


def _chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def _stored(shown: np.ndarray, orientation: int) -> np.ndarray:
    """The pixels that a file with an orientation stores so that `shown` is seen."""
    return next(
        stored
        for turned in range(1, 9)
        if np.array_equal(upright(stored := upright(shown, turned), orientation), shown)
    )


def _jpeg(random: Random) -> bytes:
    image = Image.fromarray(pixels(random)).convert(random.choice(["RGB", "RGB", "L", "CMYK"]))
    options = {"quality": random.choice([30, 95, 100]), "progressive": random.random() < 0.3}
    if image.mode != "CMYK" and random.random() < 0.5:
        options["subsampling"] = random.choice([0, 1, 2])
    return saved(image, "JPEG", **options)


def _turned_jpeg(random: Random) -> bytes:
    """A photograph of a phone, with an orientation and other tags."""
    exif = Image.Exif()
    exif[ORIENTATION] = random.choice([1, 2, 3, 4, 5, 6, 7, 8, 8, 0, 9, 1000])
    exif[0x010E] = "a phone"
    return saved(
        Image.fromarray(pixels(random)), random.choice(["JPEG", "JPEG", "PNG", "WEBP", "TIFF"]), exif=exif.tobytes()
    )


def _mistyped_exif(random: Random) -> bytes:
    """EXIF data with an orientation, and a tag whose type or offset is wrong."""
    entries = [
        (ORIENTATION, 3, 1, struct.pack("<HH", random.randint(1, 8), 0)),
        (
            random.choice([0x0100, 0x011A, 0x8769, 0x8825, 0x9000, 0x0112]),
            random.randrange(14),
            random.choice([1, 4, 2**31]),
            random.randbytes(4),
        ),
    ]
    random.shuffle(entries)
    body = (
        b"II*\0"
        + struct.pack("<IH", 8, len(entries))
        + b"".join(struct.pack("<HHI", *entry[:3]) + entry[3] for entry in entries)
        + bytes(4)
    )
    segment = b"Exif\0\0" + body
    jpeg = saved(Image.fromarray(pixels(random)), "JPEG")
    return jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(segment) + 2) + segment + jpeg[2:]


def _png(random: Random) -> bytes:
    mode = random.choice(["RGB", "L", "LA", "RGBA", "P", "1", "I;16", "I"])
    picture = Image.fromarray(pixels(random))
    if mode in ("I;16", "I"):
        deep = np.asarray(picture.convert("L")).astype(np.uint16) * 257
        return saved(Image.fromarray(deep), "PNG")
    image = picture.convert(mode)
    if mode in ("LA", "RGBA"):
        image.putalpha(Image.fromarray(pixels(random)[..., 0]))
    options = {"transparency": random.randrange(256)} if mode in ("P", "L") and random.random() < 0.5 else {}
    return saved(image, "PNG", **options)


def _animated(random: Random) -> bytes:
    frames = [Image.fromarray(pixels(random)) for _ in range(3)]
    kind = random.choice(["GIF", "WEBP", "PNG", "TIFF"])
    return saved(frames[0], kind, save_all=True, append_images=frames[1:])


def _other_kind(random: Random) -> bytes:
    kinds = [("BMP", "RGB"), ("BMP", "L"), ("BMP", "P"), ("TIFF", "RGB"), ("TIFF", "CMYK"), ("TIFF", "L"), ("TIFF", "LAB"), ("WEBP", "RGBA"), ("WEBP", "RGB"), ("PPM", "RGB"), ("PPM", "L"), ("GIF", "P"), ("TGA", "RGBA"), ("JPEG2000", "RGB"), ("ICO", "RGBA"), ("PCX", "RGB"), ("DIB", "RGB")]  # fmt: skip
    kind, mode = random.choice(kinds)
    picture = Image.fromarray(pixels(random))
    if mode == "LAB":
        from PIL import ImageCms

        to_lab = ImageCms.buildTransform(ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), "RGB", "LAB")
        return saved(ImageCms.applyTransform(picture, to_lab), kind)  # type: ignore[arg-type]
    return saved(picture.convert(mode), kind)


def _bmp_of_32_bits(random: Random) -> bytes:
    """A bitmap with a fourth channel, of zeros, of 255s or of a picture."""
    picture = pixels(random)
    alpha = np.full((*picture.shape[:2], 1), random.choice([0, 255, 128]), np.uint8)
    body = np.concatenate([picture[::-1, :, ::-1], alpha], axis=2).tobytes()
    height, width = picture.shape[:2]
    header = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 32, 0, len(body), 2835, 2835, 0, 0)
    return b"BM" + struct.pack("<IHHI", 54 + len(body), 0, 0, 54) + header + body


def _huge_header(random: Random) -> bytes:
    """A file whose header promises an image of many gigabytes."""
    side = random.choice([30_000, 100_000, 2**31 - 1, 2**16 - 1])
    if random.random() < 0.5:
        png = bytearray(saved(Image.fromarray(pixels(random)), "PNG"))
        png[16:24] = struct.pack(">II", side, random.choice([side, 2, 24]))
        png[29:33] = struct.pack(">I", zlib.crc32(png[12:29]))
        return bytes(png)
    return f"P6\n{side} {random.choice([side, 1])}\n255\n".encode() + bytes(100)


def _strip(random: Random) -> bytes:
    """An image of one or two pixels' height, which is as long as a strip."""
    picture = Image.new("L", random.choice([(3000, 2), (2, 3000), (1, 1), (1, 500)]), random.randrange(256))
    return saved(picture, random.choice(["PNG", "JPEG", "BMP"]))


def _no_image(random: Random) -> bytes:
    return random.choice([b"", b"\xff\xd8", b"\xff\xd8\xff\xe0" + bytes(30), b"<html>", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"%PDF-1.4", b"GIF89a", b"\x89PNG\r\n\x1a\n", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n"])  # fmt: skip


MAKERS: tuple[Callable[[Random], bytes], ...] = (
    _jpeg, _jpeg, _turned_jpeg, _turned_jpeg, _mistyped_exif, _png, _png, _animated, _other_kind, _other_kind, _bmp_of_32_bits, _huge_header, _strip, _no_image,
)  # fmt: skip

KIND = Kind("images", prepare, cases=2500, batch=25)
