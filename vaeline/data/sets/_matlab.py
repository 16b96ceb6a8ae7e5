"""Arrays of numbers in a MATLAB file of version 5, with every bound checked ("MAT-File Format", MathWorks, chapter 1).

`scipy.io.loadmat` reads all that such a file can hold, but a damaged one can kill the process.
"""

import struct
import zlib
from collections.abc import Iterator
from math import prod
from typing import NamedTuple

import numpy as np

HEADER = 128  # bytes
MATRIX, COMPRESSED = 14, 15  # types of elements
# Types of elements.
STORED = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8", 13: "u8"}
# Of arrays; MATLAB stores whole doubles in fewer bytes.
CLASSES = {6: "f8", 7: "f4", 8: "i1", 9: "u1", 10: "i2", 11: "u2", 12: "i4", 13: "u4", 14: "i8", 15: "u8"}
OTHERS = {1: "cells", 2: "a structure", 3: "an object", 4: "characters", 5: "a sparse array"}
COMPLEX = 0x08  # a flag of an array
INT32, UINT32 = 5, 6
MOST_BYTES = 2**30  # of an array


class Element(NamedTuple):
    """A piece of a file: its type, and its content."""

    kind: int
    content: memoryview


NOTHING = Element(0, memoryview(b""))  # in place of an element that is missing


def read_arrays(content: bytes, wanted: tuple[str, ...]) -> dict[str, np.ndarray]:
    """The arrays of some names, as far as they are there.

    Args:
        content: of the file.
        wanted: names of variables.

    Raises:
        ValueError: the file is of another format or damaged, or a variable is no array of real numbers.
    """
    if len(content) < HEADER or content[126:128] not in (b"IM", b"MI"):
        raise ValueError("it does not begin like a MATLAB file")
    order = "<" if content[126:128] == b"IM" else ">"
    (version,) = struct.unpack(f"{order}H", content[124:126])
    if version != 0x0100:
        raise ValueError(f"it is of version {'7.3' if version == 0x0200 else hex(version)}")
    arrays = {}
    for element in _elements(memoryview(content)[HEADER:], order):
        [matrix] = _elements(_inflated(element.content, order), order) if element.kind == COMPRESSED else [element]
        if matrix.kind == MATRIX:
            name, array = _array(matrix.content, order, wanted)
            if array is not None:
                arrays[name] = array
    return arrays


def _elements(content: memoryview, order: str) -> Iterator[Element]:
    """The elements that follow one another in some bytes."""
    at = 0
    while at < len(content):
        if len(content) - at < 8:
            raise ValueError("an element is cut off")
        kind, size = struct.unpack(f"{order}2I", content[at : at + 8])
        start, small = at + 8, kind >> 16
        if small:  # up to four bytes inside the tag
            kind, size, start = kind & 0xFFFF, small, at + 4
        if size > len(content) - start or (small and size > 4):
            raise ValueError(f"an element promises {size:,} bytes, but {len(content) - start:,} are left")
        yield Element(kind, content[start : start + size])
        padding = 0 if kind == COMPRESSED else -size % 8
        at = at + 8 if small else start + size + padding


def _inflated(compressed: memoryview, order: str) -> memoryview:
    """The bytes of a compressed element, no more than its own tag promises."""
    stream = zlib.decompressobj()
    try:
        tag = stream.decompress(compressed, 8)
        if len(tag) < 8:
            raise ValueError("a compressed element is cut off")
        _, size = struct.unpack(f"{order}2I", tag)
        if size > MOST_BYTES:
            raise ValueError(f"an element promises {size:,} bytes")
        content = tag + stream.decompress(stream.unconsumed_tail, size) if size else tag
        rest = stream.decompress(stream.unconsumed_tail, 1)  # reads the checksum
    except zlib.error as error:
        raise ValueError(str(error)) from error
    if rest or not stream.eof:
        raise ValueError("a compressed element has another length than it promises")
    return memoryview(content)


def _array(content: memoryview, order: str, wanted: tuple[str, ...]) -> tuple[str, np.ndarray | None]:
    """The name of a variable, and its numbers if it is wanted."""
    pieces = _elements(content, order)
    flags, dimensions, name = (next(pieces, NOTHING) for _ in range(3))
    if flags.kind != UINT32 or len(flags.content) != 8 or dimensions.kind != INT32 or len(dimensions.content) % 4:
        raise ValueError("a variable has no header")
    title = bytes(name.content).decode("ascii", "replace")
    if title not in wanted:
        return title, None
    (bits,) = struct.unpack(f"{order}I", flags.content[:4])
    of_class = bits & 0xFF
    if of_class not in CLASSES or bits >> 8 & COMPLEX:
        raise ValueError(f"{title} is {OTHERS.get(of_class, 'not an array of real numbers')}")
    shape = struct.unpack(f"{order}{len(dimensions.content) // 4}i", dimensions.content)
    numbers = next(pieces, NOTHING)
    if numbers.kind not in STORED:
        raise ValueError(f"{title} has numbers of type {numbers.kind}")
    stored = np.dtype(order + STORED[numbers.kind])
    if min(shape, default=0) < 0 or prod(shape) * stored.itemsize != len(numbers.content):
        raise ValueError(f"{title} has {len(numbers.content):,} bytes of numbers for the shape {shape}")
    return title, np.frombuffer(numbers.content, stored).astype(CLASSES[of_class], copy=False).reshape(shape, order="F")
