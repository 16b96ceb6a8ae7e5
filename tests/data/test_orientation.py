"""The orientation of a photograph is read alone, whatever else its Exif data say."""

import struct

import numpy as np
import pytest

from vaeline.data.orientation import of_exif, of_jpeg, upright


def exif(kind: int, count: int, value: bytes, order: str = "<") -> bytes:
    """Exif data with an orientation and, before it, a tag of the camera's maker that no standard allows."""
    head = b"II*\0" if order == "<" else b"MM\0*"
    entries = struct.pack(f"{order}HHI4s", 0x010F, 99, 7, b"????") + struct.pack(
        f"{order}HHI4s", 0x0112, kind, count, value
    )
    return b"Exif\0\0" + head + struct.pack(f"{order}IH", 8, 2) + entries + bytes(4)


@pytest.mark.parametrize(
    ("content", "orientation"),
    [
        *((exif(3, 1, struct.pack("<HH", turn, 0)), turn if 1 <= turn <= 8 else 1) for turn in range(11)),
        (exif(3, 1, struct.pack(">HH", 6, 0), ">"), 6),
        (exif(4, 1, struct.pack("<I", 8)), 8),
        (exif(1, 1, b"\3\0\0\0"), 3),
        (exif(3, 1, struct.pack("<HH", 6, 0)).removeprefix(b"Exif\0\0"), 6),
        (exif(2, 2, b"6\0\0\0"), 1),
        (exif(3, 2, struct.pack("<HH", 6, 6)), 1),
        (exif(3, 1, struct.pack("<HH", 6, 0))[:35], 1),
        (b"Exif\0\0XX*\0", 1),
        (b"", 1),
    ],
)
def test_an_orientation_is_a_single_number_from_1_to_8(content: bytes, orientation: int) -> None:
    assert of_exif(content) == orientation


@pytest.mark.parametrize("size", range(41))
def test_exif_data_may_end_anywhere(size: int) -> None:
    assert of_exif(exif(3, 1, struct.pack("<HH", 6, 0))[:size]) in (1, 6)


def segment(marker: int, content: bytes) -> bytes:
    return bytes([0xFF, marker]) + (len(content) + 2).to_bytes(2, "big") + content


TURNED = segment(0xE1, exif(3, 1, struct.pack("<HH", 6, 0)))


@pytest.mark.parametrize(
    ("segments", "orientation"),
    [
        (TURNED, 6),
        (segment(0xE0, b"JFIF") + segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0") + TURNED, 6),
        (b"\xff" + TURNED, 6),  # a fill byte
        (b"\xff\x01" + TURNED, 6),  # a marker without content
        (segment(0xFE, TURNED), 1),  # inside of a comment
        (segment(0xDA, b"") + TURNED, 1),  # behind the beginning of the pixels
        (b"\xff\xd9" + TURNED, 1),
        (b"??" + TURNED, 1),
        (segment(0xE1, b""), 1),
    ],
)
def test_a_jpeg_is_searched_segment_by_segment(segments: bytes, orientation: int) -> None:
    assert of_jpeg(b"\xff\xd8" + segments) == orientation


def test_pixels_are_turned_as_the_standard_says() -> None:
    """Where the first row and the first column of the file belong, by the table of Exif 2.3."""
    pixels = np.arange(6).reshape(2, 3, 1)
    expected = {
        1: [[0, 1, 2], [3, 4, 5]], 2: [[2, 1, 0], [5, 4, 3]], 3: [[5, 4, 3], [2, 1, 0]], 4: [[3, 4, 5], [0, 1, 2]],
        5: [[0, 3], [1, 4], [2, 5]], 6: [[3, 0], [4, 1], [5, 2]], 7: [[5, 2], [4, 1], [3, 0]], 8: [[2, 5], [1, 4], [0, 3]],
    }  # fmt: skip
    for orientation, wanted in expected.items():
        assert upright(pixels, orientation)[..., 0].tolist() == wanted
