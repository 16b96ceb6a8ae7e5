"""Kinds of processors: a ratio of rates holds on one kind, and may not on another.

A kind is the maker, and the widest instructions for matrices or vectors that its processors have: `intel-amx`, `amd-avx2`.
"""

import platform
import re
from pathlib import Path

CPUS = Path("/proc/cpuinfo")
MAKERS = {"GenuineIntel": "intel", "AuthenticAMD": "amd"}
WIDEST = {"amx_tile": "amx", "avx512f": "avx512", "avx2": "avx2"}  # a flag in /proc/cpuinfo -> how it is called here
KIND = re.compile(rf"({'|'.join(MAKERS.values())})-({'|'.join(WIDEST.values())})|other-\w+")


def kind() -> str:
    """The kind of this machine's processor; `other-` and the architecture for one that is not known."""
    try:
        lines = [line.partition(":") for line in CPUS.read_text(encoding="utf-8", errors="replace").splitlines()]
    except OSError:
        lines = []
    said = {key.strip(): value.split() for key, _, value in reversed(lines)}  # of the first processor
    maker = next((MAKERS[word] for word in said.get("vendor_id", []) if word in MAKERS), None)
    widest = next((name for flag, name in WIDEST.items() if flag in said.get("flags", [])), None)
    return f"{maker}-{widest}" if maker and widest else f"other-{platform.machine()}"


def in_words(kind: str) -> str:
    """A kind for people: `Intel with AMX`."""
    maker, _, widest = kind.partition("-")
    name = {"intel": "Intel", "amd": "AMD"}.get(maker)
    return f"{name} with {widest.upper().replace('AVX512', 'AVX-512')}" if name else f"another processor, {widest}"


def measured(folder: Path) -> dict[str, Path]:
    """The files of races in a folder, by the kind of processor."""
    return {path.stem: path for path in sorted(folder.glob("*.json")) if KIND.fullmatch(path.stem)}
