"""The process of one side of a race: it does its work once for each line on stdin and answers with the time taken.

This module imports the standard library only, since a side may run in the environment of a peer.
`python -m benchmarks.side MODULE FUNCTION ARGUMENTS...` calls a function of `benchmarks/sides`, which sets up the work.
"""

import json
import pkgutil
import re
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path

Work = Callable[[], float]  # does the work once and returns its amount: images, distances, ...


def serve(work: Work) -> None:
    """Print an empty answer, then do the work once for each line on stdin and print an answer.

    Anything that libraries print goes to stderr, so stdout holds answers only.
    """
    answers, sys.stdout = sys.stdout, sys.stderr
    print("{}", file=answers, flush=True)
    for _ in sys.stdin:
        started = time.perf_counter()
        amount = work()
        seconds = time.perf_counter() - started
        print(json.dumps({"amount": amount, "seconds": seconds, "peak_bytes": peak()}), file=answers, flush=True)


def peak() -> int:
    """Peak memory of this process in bytes. On Linux, the value of `getrusage` includes the parent's peak before exec."""
    status = Path("/proc/self/status")
    if status.exists():
        return 1024 * int(re.findall(r"VmHWM:\s*(\d+) kB", status.read_text())[0])
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


if __name__ == "__main__":
    module, function, *arguments = sys.argv[1:]
    serve(pkgutil.resolve_name(f"benchmarks.sides.{module}:{function}")(*arguments))
