"""Seeded mutations: of bytes, of text, and of the nested lists and mappings of JSON and YAML."""

from collections.abc import Callable
from random import Random
from typing import Any

Mutation = Callable[[Random, bytes], bytes]


def flip_bits(random: Random, content: bytes) -> bytes:
    """Flip one to eight bits."""
    changed = bytearray(content)
    for _ in range(random.randint(1, 8)):
        changed[random.randrange(len(changed))] ^= 1 << random.randrange(8)
    return bytes(changed)


def truncate(random: Random, content: bytes) -> bytes:
    """Cut the end off, as an interrupted copy does."""
    return content[: random.randrange(len(content))]


def zero_block(random: Random, content: bytes) -> bytes:
    """Set a block to zeros, as a file system may after a power cut."""
    start = random.randrange(len(content))
    length = min(random.choice([16, 512, 4096]), len(content) - start)
    return content[:start] + bytes(length) + content[start + length :]


def append(random: Random, content: bytes) -> bytes:
    """Add bytes at the end."""
    return content + random.randbytes(random.randint(1, 600))


def repeat_block(random: Random, content: bytes) -> bytes:
    """Insert a copy of a block."""
    start = random.randrange(len(content))
    block = content[start : start + random.randint(1, 64)]
    return content[:start] + block + content[start:]


def flip_every_third(random: Random, content: bytes) -> bytes:
    """Flip all bits of every third byte in the last half, where the values of most formats lie."""
    changed = bytearray(content)
    for place in range(len(changed) // 2, len(changed), 3):
        changed[place] ^= 255
    return bytes(changed)


def swap_letters(random: Random, content: bytes) -> bytes:
    """Change one printable character into another, as a typing error does."""
    places = [place for place, byte in enumerate(content) if 33 <= byte < 127]
    if not places:
        return flip_bits(random, content)
    place = random.choice(places)
    return content[:place] + bytes([random.randrange(33, 127)]) + content[place + 1 :]


BYTES: tuple[Mutation, ...] = (
    flip_bits, flip_bits, truncate, zero_block, append, repeat_block, flip_every_third, swap_letters,
)  # fmt: skip

STRANGE: tuple[Any, ...] = (
    None, True, False, 0, 1, -1, 2**31, 2**63, 2**64, 10**400, 0.5, 1e308, -0.0, float("nan"), float("inf"), "", " ", "0", "1.5", "yes",
    "a", "../../etc", "\x00", "ä́", "x" * 100_000, [], {}, [1, 2], [[[]]], {"": 1}, {"name": "none"},
)  # fmt: skip


def bytes_of(random: Random, content: bytes) -> bytes:
    """Another content, by a mutation drawn at random."""
    changed = content
    while changed == content:
        changed = random.choice(BYTES)(random, content or b"\0")
    return changed


def structure(random: Random, content: Any) -> Any:
    """Mutate one place of nested lists and mappings: another value, a key less, a key more, two values swapped."""
    changed = _copied(content)
    holder, key = random.choice(list(_places(changed)))
    mutate = random.choice([_replace, _replace, _scale, _remove, _add, _swap, _wrap])
    mutate(random, holder, key)
    return changed


def _places(content: Any) -> Any:
    """Every list and mapping with each of its keys."""
    keys = content if isinstance(content, dict) else range(len(content)) if isinstance(content, list) else ()
    for key in list(keys):
        yield content, key
        yield from _places(content[key])


def _copied(content: Any) -> Any:
    if isinstance(content, dict):
        return {key: _copied(value) for key, value in content.items()}
    return [_copied(value) for value in content] if isinstance(content, list) else content


def _replace(random: Random, holder: Any, key: Any) -> None:
    holder[key] = _copied(random.choice(STRANGE))


def _scale(random: Random, holder: Any, key: Any) -> None:
    value = holder[key]
    numeric = isinstance(value, int | float) and not isinstance(value, bool)
    holder[key] = value * random.choice([-1, 2, 10, 0.5]) + random.choice([0, 1]) if numeric else str(value)


def _remove(random: Random, holder: Any, key: Any) -> None:
    del holder[key]


def _add(random: Random, holder: Any, key: Any) -> None:
    if isinstance(holder, dict):
        holder[random.choice(["extra", "", "name", "0", "x" * 1000])] = _copied(holder[key])
    else:
        holder.append(_copied(holder[key]))


def _swap(random: Random, holder: Any, key: Any) -> None:
    other = random.choice(list(holder) if isinstance(holder, dict) else range(len(holder)))
    holder[key], holder[other] = holder[other], holder[key]


def _wrap(random: Random, holder: Any, key: Any) -> None:
    value = holder[key]
    for _ in range(random.choice([1, 3, 50])):
        value = [value] if random.random() < 0.5 else {"a": value}
    holder[key] = value
