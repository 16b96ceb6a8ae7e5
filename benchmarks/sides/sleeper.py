"""Sides that sleep or fail, for the tests of races."""

import time

from benchmarks.side import Work


def sleep(milliseconds: str) -> Work:
    """Sleep, and print to stdout as some libraries do."""

    def work() -> float:
        print("this line is not an answer")
        time.sleep(int(milliseconds) / 1000)
        return 1

    return work


def broken() -> Work:
    """Fail during set-up."""
    raise ValueError("the set-up failed")
