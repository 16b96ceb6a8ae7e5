"""Within the bridge, DVC reads its parameters at the cost of one parse per content of a file.

DVC 3 parses params.yaml and code.json anew for each dependency of each stage on them, and walks the whole of them for each key:
about four times a stage, at a cost that grows with the number of variants, so that the whole grows with its square. The bridge asks
for hundreds of stages in one process.

What is remembered is the parse of a text. The file is read anew for each question, so that an edit meanwhile is noticed as it is
without this module, also an edit that is undone, and one that leaves size and times alone.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from copy import deepcopy
from typing import Any

SPECIAL = frozenset("*?[]")  # in keys, which DVC takes for patterns


@contextmanager
def parsed_once() -> Iterator[None]:
    """Within the block, DVC parses each content of a file of parameters once.

    Raises:
        AttributeError: this version of DVC has no `read_param_file` where the versions have it that this was written for.
    """
    from dvc.dependency import param

    as_dvc_reads = param.read_param_file
    parsed: dict[str, tuple[bytes, Any]] = {}  # path -> the text that was parsed last, and its content

    def read(fs: Any, path: str, key_paths: Sequence[str] | None = None, flatten: bool = False, **options: Any) -> Any:
        if key_paths and flatten and not options:
            try:
                content = _content(fs, path, parsed)
                return {key: deepcopy(_at(content, key)) for key in key_paths}
            except (LookupError, UnicodeDecodeError, param.ParseError):
                pass  # DVC has the sentence for a damaged file, and the rule for a key that is missing or a pattern
        return as_dvc_reads(fs, path, key_paths, flatten=flatten, **options)

    param.read_param_file = read
    try:
        yield
    finally:
        param.read_param_file = as_dvc_reads


def _content(fs: Any, path: str, parsed: dict[str, tuple[bytes, Any]]) -> Any:
    """The content of a file, parsed by DVC unless its bytes are those that were parsed last."""
    from dvc.utils.serialize import PARSERS

    with fs.open(path, "rb") as file:
        text = file.read()
    if path not in parsed or parsed[path][0] != text:
        parsed[path] = text, PARSERS[fs.suffix(path).lower()](text.decode(), path)
    return parsed[path][1]


def _at(content: Any, key: str) -> Any:
    """The value at a dotted key of nested mappings.

    Raises:
        LookupError: the key is missing, or it may be a pattern, or the path leads through a value that is not a mapping.
    """
    for step in key.split("."):
        if not isinstance(content, dict) or SPECIAL & set(step):
            raise LookupError(key)
        content = content[step]
    return content
