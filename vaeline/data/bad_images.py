"""Image files that cannot be used: refused by name, or found in advance and left out."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from vaeline.data.archive import Files
from vaeline.data.decoding import decode
from vaeline.system.background import cores, in_order
from vaeline.system.errors import UserError, some_of
from vaeline.system.progress import Bar

BLOCK = 64  # images that a thread decodes at once
SHOWN = 3  # images that are named on the terminal


def bad_image(archive: Files, name: str, reason: Exception) -> UserError:
    """The error for an image that cannot be used."""
    return UserError(
        f"{name} in {archive.path} cannot be decoded ({reason}); replace it, remove it, or set dataset.on_bad_image to skip, and run again."
    )


def find(archive: Files, names: Sequence[str], channels: int) -> dict[str, str]:
    """Decode every image on all cores, and return those that cannot be used, with the reason; in the order of `names`."""

    def faults(block: Sequence[str]) -> dict[str, str]:
        return {name: fault for name in block if (fault := _fault(archive, name, channels))}

    found: dict[str, str] = {}
    threads = cores()
    blocks = [names[start : start + BLOCK] for start in range(0, len(names), BLOCK)]
    with ThreadPoolExecutor(threads) as pool, Bar("decoding", len(names)) as bar:
        for block, bad in zip(
            blocks, in_order((pool.submit(faults, block) for block in blocks), 2 * threads), strict=True
        ):
            found |= bad
            bar.advance(len(block))
    return found


def _fault(archive: Files, name: str, channels: int) -> str:
    try:
        decode(archive.read(name), channels)
    except (ValueError, UserError) as error:
        return str(error)
    return ""


def note(skipped: dict[str, str], count: int) -> str:
    """A sentence on the images that are left out; the manifest lists them all."""
    shown = some_of([f"{name} ({reason})" for name, reason in skipped.items()], SHOWN)
    return f"Left out: {len(skipped):,} of {count:,} images, which cannot be decoded: {shown}."
