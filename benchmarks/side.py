"""One side of a race: a process that is told when to work and answers how fast it was.

Nothing is imported here but what every Python has: a side runs in the environment of a peer as well as in ours.
`python -m benchmarks.side MODULE FUNCTION ARGUMENTS...` calls a function of `benchmarks/sides`, which sets the work up.
"""

import importlib
import json
import resource
import sys
import time
from collections.abc import Callable

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
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        print(json.dumps({"amount": amount, "seconds": seconds, "peak_bytes": peak}), file=answers, flush=True)


if __name__ == "__main__":
    module, function, *arguments = sys.argv[1:]
    serve(getattr(importlib.import_module(f"benchmarks.sides.{module}"), function)(*arguments))
