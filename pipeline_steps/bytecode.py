"""Python's cached bytecode, which may be that of another text of a module.

Python trusts the bytecode of a module if it names the size and the second of the module's last change. Another text of the
same size that is written in the same second, such as a checkout right after an edit, passes.
"""

import importlib.util
import marshal
import os
import struct
from contextlib import suppress
from pathlib import Path

HEADER = struct.Struct("<4sIII")  # magic number, flags, time of the source in seconds, size of the source


def forget_other_bytecode(path: Path) -> bool:
    """Whether the cached bytecode of a module is that of another text; then it is removed.

    Only bytecode that is older than the last change of its module, and that Python would trust, is compared.
    """
    cached = Path(importlib.util.cache_from_source(str(path)))
    try:
        of_source, of_cache = path.stat(), cached.stat()
        if of_cache.st_mtime_ns > of_source.st_ctime_ns:
            return False
        content = cached.read_bytes()
        expected = (
            importlib.util.MAGIC_NUMBER,
            0,
            int(of_source.st_mtime) & 0xFFFFFFFF,
            of_source.st_size & 0xFFFFFFFF,
        )
        if content[: HEADER.size] != HEADER.pack(*expected):
            return False
        same = marshal.loads(content[HEADER.size :]) == compile(path.read_bytes(), str(path), "exec", dont_inherit=True)
    except (OSError, ValueError, EOFError, TypeError, SyntaxError):
        return False
    with suppress(OSError):
        if same:
            os.utime(cached)  # it need not be compared again
        else:
            cached.unlink()
    return not same
