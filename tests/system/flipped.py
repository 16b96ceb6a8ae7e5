"""A file with one bit flipped, which its reader must notice."""

from collections.abc import Iterator
from pathlib import Path


def flipped_in_every_byte(path: Path) -> Iterator[int]:
    """Write a file anew with one bit flipped, for each byte in turn: the place of the byte."""
    content = path.read_bytes()
    for place in range(len(content)):
        flipped = bytearray(content)
        flipped[place] ^= 1 << (3 * place) % 8  # each bit in turn
        path.write_bytes(flipped)
        yield place
