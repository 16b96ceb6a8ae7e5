"""Background threads: how many are useful, and their results, handed on in order."""

import os
import sys
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future
from contextlib import suppress
from math import ceil
from typing import TypeVar

from vaeline.system import control_groups

Result = TypeVar("Result")


def in_order(futures: Iterable[Future[Result]], ahead: int) -> Iterator[Result]:
    """Yield results in order while at most `ahead` of them are computed, so that a slow consumer does not fill the memory."""
    waiting: deque[Future[Result]] = deque()
    try:
        for future in futures:
            waiting.append(future)
            if len(waiting) == ahead:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        for future in waiting:
            future.cancel()


def cores() -> int:
    """The number of cores that this process may use: those it may run on, and no more than the time that its control groups give it."""
    there = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
    return min([there, *_quotas()])


def _quotas() -> Iterator[int]:
    """The cores that the quotas of this process's control groups are worth, rounded up; a group without a quota says `max` or -1."""
    for words in control_groups.limits("cpu", "cpu.max", "cpu.cfs_quota_us", "cpu.cfs_period_us"):
        with suppress(ValueError):
            quota, period = map(int, words)
            if quota > 0 and period > 0:
                yield ceil(quota / period)
