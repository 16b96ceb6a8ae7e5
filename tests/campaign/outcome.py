"""What a case of the campaign ends in, and the count of all cases."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from enum import StrEnum
from random import Random
from typing import Any

LONGEST = 4000  # characters of a message; a study with many mistakes has a line for each


class Outcome(StrEnum):
    """Every case ends in one of these; a later one is worse."""

    RIGHT = "right"  # the result is the reference's, or what was mutated says the same as before
    SENTENCE = "sentence"  # refused with one sentence of bounded length
    TRACEBACK = "traceback"  # any other exception, a crash, or a sentence that is too long
    HANG = "hang"  # over the limit of time or memory, or refused again and again
    SILENT = "silent"  # accepted, with another result than the reference's


WRONG = (Outcome.TRACEBACK, Outcome.HANG, Outcome.SILENT)


@dataclass(frozen=True)
class Case:
    """A case, which is the same each time: its random numbers follow from its kind, the seed and its number."""

    kind: str
    number: int
    seed: int = 0

    def random(self) -> Random:
        """A new generator of the case's random numbers."""
        return Random(f"{self.kind} {self.seed} {self.number}")


@dataclass(frozen=True)
class Verdict:
    """What came of a case.

    Args:
        outcome: of the case.
        what: was done, in words.
        said: by the program, or how its result differs.
        tries: kills or mutations in the case.
    """

    outcome: Outcome
    what: str
    said: str = ""
    tries: int = 1


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """The worst of some verdicts, the first among equals."""
    order = list(Outcome)
    return max(verdicts, key=lambda verdict: order.index(verdict.outcome))


class Tally:
    """Counts of cases by kind and outcome, and all that is needed to replay those that went wrong."""

    def __init__(self) -> None:
        self.counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self.seconds: Counter[str] = Counter()

    def add(self, case: Case, verdict: Verdict, seconds: float = 0.0) -> None:
        """Count a case."""
        self.counts[case.kind].update({"cases": 1, "tried": verdict.tries, verdict.outcome: 1})
        self.seconds[case.kind] += seconds

    @property
    def wrong(self) -> int:
        """How many cases were silent, ended in a traceback or hung."""
        return sum(counts[outcome] for counts in self.counts.values() for outcome in WRONG)

    def table(self) -> str:
        """The counts as a table of text, one row for each kind and one for all."""
        columns = ["cases", "tried", *Outcome]
        total = Counter[str]()
        lines = [f"{'kind':<10}" + "".join(f"{column:>11}" for column in columns) + f"{'seconds':>11}"]
        for kind, counts in self.counts.items():
            lines.append(_row(kind, [counts[column] for column in columns], self.seconds[kind]))
            total.update(counts)
        return "\n".join([*lines, _row("all", [total[column] for column in columns], sum(self.seconds.values()))])


def _row(name: str, counts: list[int], seconds: float) -> str:
    return f"{name:<10}" + "".join(f"{count:>11,}" for count in counts) + f"{seconds:>11,.0f}"


def record(case: Case, verdict: Verdict) -> dict[str, Any]:
    """A case and its verdict as JSON."""
    return {**asdict(case), **asdict(verdict)}
