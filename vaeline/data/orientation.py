"""How a camera was held: the orientation tag of Exif data, read alone, and pixels turned upright by it.

Only this tag is read. The rest of the Exif data of a photograph is often malformed, and is not needed.
"""

import struct
from collections.abc import Iterator

import numpy as np

UPRIGHT = 1  # the orientation of most images
TAG = 0x0112
VALUE = {1: "B", 3: "H", 4: "I"}  # the types of TIFF that a whole number has, for `struct`
PREFIX = b"Exif\0\0"
WITHOUT_LENGTH = {0x01, *range(0xD0, 0xD9)}  # markers of JPEG that nothing belongs to
SCAN, END, APP1 = 0xDA, 0xD9, 0xE1


def of_jpeg(encoded: bytes) -> int:
    """The orientation of a JPEG file, 1 to 8; 1 if it has none."""
    exif = next((each for marker, each in _segments(encoded) if marker == APP1 and each.startswith(PREFIX)), b"")
    return of_exif(exif)


def _segments(encoded: bytes) -> Iterator[tuple[int, bytes]]:
    """The marker and the content of each segment in front of the pixels of a JPEG file."""
    place = 2
    while place + 4 <= len(encoded) and encoded[place] == 0xFF:
        marker = encoded[place + 1]
        if marker in (SCAN, END):
            return
        if marker == 0xFF:  # a fill byte
            place += 1
        elif marker in WITHOUT_LENGTH:
            place += 2
        else:
            end = place + 2 + int.from_bytes(encoded[place + 2 : place + 4], "big")
            yield marker, encoded[place + 4 : end]
            place = end


def of_exif(exif: bytes) -> int:
    """The orientation in a block of Exif data, 1 to 8; 1 if it has none or is malformed."""
    content = exif.removeprefix(PREFIX)
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(content[:4])
    if order is None:
        return UPRIGHT
    try:
        (start,) = struct.unpack_from(f"{order}I", content, 4)
        (count,) = struct.unpack_from(f"{order}H", content, start)
        for entry in range(start + 2, start + 2 + 12 * count, 12):
            tag, kind, values = struct.unpack_from(f"{order}HHI", content, entry)
            if tag == TAG and kind in VALUE and values == 1:
                (value,) = struct.unpack_from(f"{order}{VALUE[kind]}", content, entry + 8)
                return value if 1 <= value <= 8 else UPRIGHT
    except struct.error:  # the block ends too early
        pass
    return UPRIGHT


def of_profile(profile: str) -> int:
    """The orientation in Exif data that ImageMagick has written as text: a name and a length, and then hexadecimal digits."""
    try:
        return of_exif(bytes.fromhex("".join(profile.split("\n")[3:])))
    except ValueError:
        return UPRIGHT


def upright(pixels: np.ndarray, orientation: int) -> np.ndarray:
    """Turn and mirror pixels, (height, width, channels), so that an image of this orientation is upright."""
    if orientation == UPRIGHT:
        return pixels
    turned = pixels.swapaxes(0, 1) if orientation >= 5 else pixels
    rows = -1 if orientation in (3, 4, 7, 8) else 1
    columns = -1 if orientation in (2, 3, 6, 7) else 1
    return np.ascontiguousarray(turned[::rows, ::columns])
