"""One side of a race: a process that is told when to work and answers how fast it was.

Nothing is imported here but what every Python has: a side runs in the environment of a peer as well as in ours.
`python -m benchmarks.side MODULE FUNCTION ARGUMENTS...` calls a function of `benchmarks/sides`, which sets the work up.
"""

import importlib
import json
import re
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path

Work = Callable[[], float]  # does the work once and returns how much it was: images, distances, ...


def serve(work: Work) -> None:
    """Say that everything is loaded; then work once for each line that comes in.

    What libraries print goes to the error stream, so that answers stay apart.
    """
    answers, sys.stdout = sys.stdout, sys.stderr
    print("{}", file=answers, flush=True)
    for _ in sys.stdin:
        started = time.perf_counter()
        amount = work()
        seconds = time.perf_counter() - started
        print(json.dumps({"amount": amount, "seconds": seconds, "peak_bytes": _peak()}), file=answers, flush=True)


def _peak() -> int:
    """Bytes that this process has held at most. What `getrusage` says starts, on Linux, from what its parent held."""
    status = Path("/proc/self/status")
    if status.exists():
        return 1024 * int(re.findall(r"VmHWM:\s*(\d+) kB", status.read_text())[0])
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


if __name__ == "__main__":
    module, function, *arguments = sys.argv[1:]
    serve(getattr(importlib.import_module(f"benchmarks.sides.{module}"), function)(*arguments))
