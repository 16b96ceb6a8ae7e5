"""Python's cached bytecode, which may be that of another text of a module.

Python trusts the bytecode of a module if it names the size and the second of the module's last change. Another text of the
same size that is written in the same second, such as a checkout right after an edit, passes. Bytecode that names an
"unchecked hash" is trusted without any look at the text.
"""

import importlib.util
import marshal
import os
import struct
from contextlib import suppress
from pathlib import Path

HEADER = struct.Struct("<4sI8s")  # magic number, flags, what tells the text
OF_TIME = struct.Struct("<II")  # time of the source in seconds, size of the source
BY_TIME, BY_UNCHECKED_HASH = 0, 1  # flags of bytecode that Python trusts; it compares a checked hash itself


def forget_other_bytecode(path: Path) -> bool:
    """Whether the cached bytecode of a module is that of another text; then it is removed.

    Only bytecode that Python would trust is compared. If it names a time, it is compared only if it is older than the last
    change of its module.
    """
    cached = Path(importlib.util.cache_from_source(str(path)))
    try:
        with cached.open("rb") as file:
            magic, flags, of_text = HEADER.unpack(file.read(HEADER.size))
            if magic != importlib.util.MAGIC_NUMBER or flags not in (BY_TIME, BY_UNCHECKED_HASH):
                return False
            if flags == BY_UNCHECKED_HASH:
                same = of_text == importlib.util.source_hash(path.read_bytes())
            elif _is_newer(cached, path) or of_text != _time_and_size(path):
                return False
            else:
                text = compile(path.read_bytes(), str(path), "exec", dont_inherit=True)
                same = marshal.loads(file.read()) == text
    except (OSError, ValueError, EOFError, TypeError, SyntaxError, struct.error):
        return False
    with suppress(OSError):
        if same:
            os.utime(cached)  # it need not be compared again
        else:
            cached.unlink()
    return not same


def _is_newer(cached: Path, path: Path) -> bool:
    return cached.stat().st_mtime_ns > path.stat().st_ctime_ns


def _time_and_size(path: Path) -> bytes:
    found = path.stat()
    return OF_TIME.pack(int(found.st_mtime) & 0xFFFFFFFF, found.st_size & 0xFFFFFFFF)
