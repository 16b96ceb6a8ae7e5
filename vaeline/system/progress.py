"""The progress of long work: a bar with rate and time left on a terminal, otherwise a line now and then."""

import os
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from math import ceil
from typing import TypeVar

from tqdm import tqdm

QUIET_SECONDS = float(os.environ.get("VAELINE_PROGRESS", "20"))  # between two lines; a run that is watched sets it
_run = [""]  # what this process works on, as the start of each line
Batch = TypeVar("Batch")


def of_run(words: str) -> None:
    """Begin all progress of this process with the name of its run, such as `cvae seed 0: `."""
    _run[0] = words


def name_of(step: str, of: Mapping[str, object]) -> str:
    """How the lines of a step begin: with its run or trial, as in `cvae seed 0: `, or with its own name.

    Args:
        step: its name.
        of: what it works on: variant, seed, trial.
    """
    if "variant" not in of:
        return f"{step}: "
    return " ".join([str(of["variant"]), *(f"{key} {of[key]}" for key in ("seed", "trial") if key in of)]) + ": "


class Bar:
    """A progress bar, to be used in a `with`.

    Args:
        what: the name of the work.
        total: how many images, or other units, the work has; None if it is unknown.
        done: how many of them were done before.
        unit: what is counted.
    """

    def __init__(self, what: str, total: int | None, done: int = 0, unit: str = "images") -> None:
        self.what, self.total, self.unit = f"{_run[0]}{what}", total, unit
        self._first = self._done = done
        self._bar = tqdm(
            total=total,
            initial=done,
            desc=self.what,
            unit=f" {unit}",
            unit_scale=total is None or total > 10_000,
            disable=None,
            file=sys.stderr,
        )
        self._began = self._spoke = time.monotonic()

    def __enter__(self) -> "Bar":
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.close()

    def advance(self, count: int, words: str = "") -> None:
        """Count `count` more units as done; `words` are shown next to the bar."""
        self._done += count
        self._bar.set_postfix_str(words, refresh=False)
        self._bar.update(count)
        now = time.monotonic()
        if self._bar.disable and now - self._spoke > QUIET_SECONDS:
            self._spoke = now
            how = f"{words} | " if words else ""
            print(f"{self.what}: {how}{', '.join(self._said(now - self._began))}", file=sys.stderr)

    def _said(self, seconds: float) -> Iterator[str]:
        """What is done, how fast it went in the seconds since the beginning, and the time left if that tells it."""
        of = "" if self.total is None else f" of {self.total:,}"
        yield f"{self._done:,}{of} {self.unit}"
        rate = (self._done - self._first) / seconds
        yield f"{rate:.0f} a second" if rate >= 1 else f"{60 * rate:.2g} a minute"
        if rate and self.total is not None and self._done < self.total:
            yield f"about {ceil((self.total - self._done) / rate / 60)} min left"


def watched(batches: Iterable[Batch], what: str, total: int) -> Iterator[Batch]:
    """Yield batches of images, and show how many of the `total` images have been yielded."""
    with Bar(what, total) as bar:
        for batch in batches:
            yield batch
            bar.advance(len(batch))  # type: ignore[arg-type]
