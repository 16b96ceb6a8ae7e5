"""Sides that do nothing, for a given time or not at all: what the tests of racing race."""

import time

from benchmarks.side import Work


def sleep(milliseconds: str) -> Work:
    def work() -> float:
        print("what a library prints is no answer")
        time.sleep(int(milliseconds) / 1000)
        return 1

    return work


def broken() -> Work:
    raise ValueError("nothing to wake up for")
