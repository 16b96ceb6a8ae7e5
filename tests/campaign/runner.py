"""Runs cases on all cores until the time is up, each kind in proportion, and counts what came of them."""

import json
import multiprocessing
import os
import time
import traceback
from collections.abc import Iterator, Mapping, Sequence
from itertools import count
from pathlib import Path
from typing import Any, TextIO

from tests.campaign import archives, edits, flips, images, kills, params, sources, stale, swaps, tables, writes
from tests.campaign.isolated import attempt, call
from tests.campaign.kind import Grounds, Judge, Kind
from tests.campaign.outcome import WRONG, Case, Outcome, Tally, Verdict, record

MODULES = (kills, writes, edits, stale, swaps, flips, params, tables, archives, images, sources)
KINDS = {module.KIND.name: module.KIND for module in MODULES}
Result = tuple[Case, Verdict, float]  # with the seconds that it took


def run(kinds: Sequence[Kind], grounds: Grounds, seed: int, seconds: float, log: Path) -> Tally:
    """Try cases until the time is up.

    Args:
        kinds: of the cases; each gets its share.
        grounds: the projects for all of them.
        seed: of the campaign; another one draws other cases.
        seconds: after which no more cases are begun.
        log: gets a line of JSON for each case that went wrong, as it happens.
    """
    judges = {kind.name: kind.prepare(grounds) for kind in kinds}
    begun, until = multiprocessing.Value("q", 0), time.monotonic() + seconds
    results: Any = multiprocessing.SimpleQueue()
    workers = [_start(kinds, judges, seed, begun, until, results) for _ in range(os.cpu_count() or 1)]
    tally, ended = Tally(), 0
    with log.open("w", encoding="utf-8") as file:
        while ended < len(workers):
            result = results.get()
            ended += result is None
            if result:
                note(tally, result, file)
    failed = [worker for worker in workers if os.waitpid(worker, 0)[1]]
    if failed:
        raise RuntimeError(f"{len(failed)} workers of the campaign failed, so that cases are missing; see above")
    return tally


def note(tally: Tally, result: Result, log: TextIO) -> None:
    """Count a case, and log it if it went wrong."""
    case, verdict, _ = result
    tally.add(*result)
    if verdict.outcome in WRONG:
        log.write(json.dumps(record(case, verdict)) + "\n")
        log.flush()


def _start(
    kinds: Sequence[Kind], judges: Mapping[str, Judge], seed: int, begun: Any, until: float, results: Any
) -> int:
    """Start a worker, which takes the next batch of the schedule until the time is up; returns its process."""
    if child := os.fork():
        return child
    try:
        for place, cases in enumerate(schedule(kinds, seed)):
            with begun.get_lock():
                if place < begun.value:
                    continue
                begun.value = place + 1
            if time.monotonic() > until:
                break
            for result in judged(KINDS[cases[0].kind], judges[cases[0].kind], cases):
                results.put(result)
        status = 0
    except BaseException:
        traceback.print_exc()
        status = 1
    results.put(None)
    os._exit(status)


def schedule(kinds: Sequence[Kind], seed: int) -> Iterator[list[Case]]:
    """Batches of cases without end, of all kinds in the proportion of a campaign of 30 minutes."""
    for turn in count():
        batches = []
        for kind in kinds:
            size = max(1, kind.batch)
            starts = range(0, kind.cases, size)
            for place, start in enumerate(starts):
                numbers = range(turn * kind.cases + start, turn * kind.cases + min(start + size, kind.cases))
                batches.append(((place + 0.5) / len(starts), [Case(kind.name, number, seed) for number in numbers]))
        yield from (cases for _, cases in sorted(batches, key=lambda batch: batch[0]))


def judged(kind: Kind, judge: Judge, cases: Sequence[Case]) -> list[Result]:
    """The verdicts on a batch. If its process crashes or hangs, each case gets a process of its own."""

    def timed(case: Case) -> Result:
        started = time.monotonic()
        reply = attempt(lambda: judge(case))
        verdict = (
            reply.value
            if isinstance(reply.value, Verdict)
            else Verdict(Outcome.TRACEBACK, "the judge failed", reply.said)
        )
        return case, verdict, time.monotonic() - started

    if not kind.batch:
        return [timed(case) for case in cases]
    reply = call(lambda: [timed(case) for case in cases])
    if isinstance(reply.value, list):
        return reply.value
    if len(cases) > 1:
        return [result for case in cases for result in judged(kind, judge, [case])]
    return [(cases[0], Verdict(reply.outcome, "its process ended", reply.said), 0.0)]
