"""Seeds of independent random streams."""

import hashlib
import json


def derive_seed(stream: str, *numbers: int) -> int:
    """The seed of a stream, out of its name and numbers such as the run's seed and the epoch; 63 bits.

    Two generators with one seed draw the same numbers: every use of randomness has a name of its own.
    """
    return int.from_bytes(hashlib.sha256(json.dumps([stream, *numbers]).encode()).digest()[:8]) >> 1
