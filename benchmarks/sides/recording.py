"""The bridge on the project of the current folder: CPU seconds of its parts, and its peak memory, as JSON on stdout."""

import json
import os
import sys
from collections.abc import Callable
from typing import Any

from benchmarks.side import peak
from workflow import records

PARTS = ("_record_run", "_make_equal")


def main(record: bool) -> None:
    """Run the bridge, and say what it cost.

    Args:
        record: whether to record a run that has ended.
    """
    seconds: dict[str, float] = {}
    for name in PARTS:
        setattr(records, name, _timed(getattr(records, name), name, seconds))
    records.main(record)
    print(json.dumps({"seconds": seconds | {"all": _cpu()}, "peak_bytes": peak()}))


def _timed(work: Callable[..., Any], name: str, seconds: dict[str, float]) -> Callable[..., Any]:
    def timed(*arguments: Any) -> Any:
        started = _cpu()
        try:
            return work(*arguments)
        finally:
            seconds[name] = _cpu() - started

    return timed


def _cpu() -> float:
    """The CPU seconds of this process and of those it has waited for."""
    return sum(os.times()[:4])


if __name__ == "__main__":
    main("--record" in sys.argv)
