"""Seeds of independent random streams."""

import hashlib
import json


def derive_seed(stream: str, *numbers: int) -> int:
    """The seed of a random stream, 63 bits, derived from its name and from numbers such as the run's seed and the epoch.

    Every use of randomness has a name of its own, because two generators with the same seed draw the same numbers.
    """
    return int.from_bytes(hashlib.sha256(json.dumps([stream, *numbers]).encode()).digest()[:8]) >> 1
