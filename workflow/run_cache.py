"""Within the bridge, DVC writes the entries of its run cache as JSON, which is YAML too, and which Python writes at once.

DVC 3 writes each entry with a library that keeps comments and layout. That was a fifth of what recording a stage costs.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def entries_as_json() -> Iterator[None]:
    """Within the block, DVC writes YAML as JSON where it looks for its writer only then, as the run cache does.

    Raises:
        AttributeError: this version of DVC has no `dump_yaml` where the versions have it that this was written for.
    """
    from dvc.utils import serialize

    as_dvc_writes = serialize.dump_yaml

    def dump(path: str, data: Any, **options: Any) -> None:
        if options:
            as_dvc_writes(path, data, **options)
            return
        with open(path, "w", encoding="utf-8") as file:
            json.dump(data, file)

    serialize.dump_yaml = dump
    try:
        yield
    finally:
        serialize.dump_yaml = as_dvc_writes
