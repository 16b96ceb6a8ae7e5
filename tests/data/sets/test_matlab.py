"""The reader of MATLAB's files agrees with SciPy's, and survives every damage."""

import io
import random
import struct
import zlib
from typing import Any

import numpy as np
import pytest
from scipy.io import loadmat, savemat

from vaeline.data.sets._matlab import read_arrays

TYPES = ("u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f4", "f8")


def written(content: dict[str, Any], compressed: bool = True) -> bytes:
    file = io.BytesIO()
    savemat(file, content, do_compression=compressed)
    return file.getvalue()


@pytest.mark.parametrize("compressed", [True, False])
@pytest.mark.parametrize("kind", TYPES)
def test_arrays_are_those_that_scipy_reads(kind: str, compressed: bool) -> None:
    content = {
        "X": np.arange(2 * 3 * 4).reshape(2, 3, 4).astype(kind),
        "text": "skipped",
        "other": np.eye(3),
        "y": np.array([[3]], kind),  # stored inside its tag
        "z": np.zeros((0, 2), kind),
    }
    data = written(content, compressed)
    found, expected = read_arrays(data, ("X", "y", "z", "none")), loadmat(io.BytesIO(data))
    assert found.keys() == {"X", "y", "z"}
    for name, array in found.items():
        assert array.dtype == expected[name].dtype and array.dtype.isnative
        np.testing.assert_array_equal(array, expected[name])


def test_a_file_of_a_machine_with_the_other_byte_order_is_read() -> None:
    matrix = struct.pack(">2I", 6, 8) + struct.pack(">2I", 12, 0)  # the class int32
    matrix += (
        struct.pack(">2I2i", 5, 8, 1, 2) + struct.pack(">2H", 1, 1) + b"y\0\0\0" + struct.pack(">2I2i", 5, 8, 7, 9)
    )
    content = b" " * 124 + struct.pack(">H", 0x0100) + b"MI" + struct.pack(">2I", 14, len(matrix)) + matrix
    np.testing.assert_array_equal(read_arrays(content, ("y",))["y"], loadmat(io.BytesIO(content))["y"])


@pytest.mark.parametrize("compressed", [True, False])
def test_damage_anywhere_raises_an_error_or_changes_numbers_only(compressed: bool) -> None:
    draw = random.Random(0)
    good = written({"X": np.arange(96, dtype=np.uint8).reshape(4, 4, 3, 2), "y": np.array([[1.0], [2.0]])}, compressed)
    refused = 0
    for _ in range(3000):
        content = bytearray(good)
        for _ in range(draw.randint(1, 3)):
            content[draw.randrange(len(content))] = draw.randrange(256)
        try:
            arrays = read_arrays(bytes(content[: draw.choice([None, draw.randrange(len(good))])]), ("X", "y"))
        except ValueError:
            refused += 1
        else:
            assert all(array.size < 200 for array in arrays.values())
    assert refused > 1000


def test_a_compressed_element_unpacks_to_no_more_than_it_promises() -> None:
    header = b" " * 124 + struct.pack("<H", 0x0100) + b"IM"
    for promised, actual in ((2**31, 8), (8, 10_000_000), (100, 8)):
        packed = zlib.compress(struct.pack("<2I", 14, promised) + bytes(actual))
        with pytest.raises(ValueError, match="promises"):
            read_arrays(header + struct.pack("<2I", 15, len(packed)) + packed, ("X",))
