"""A short campaign: some cases of each kind, the same ones each time. `make campaign` tries thousands."""

import os
import signal
import time
from collections import Counter
from collections.abc import Iterator

import pytest

from tests.campaign import isolated
from tests.campaign.kills import KILLS
from tests.campaign.kind import Grounds
from tests.campaign.outcome import WRONG, Case, Outcome, Tally, Verdict
from tests.campaign.runner import KINDS, judged, schedule
from tests.campaign.warm import warm_up
from vaeline.system.errors import UserError

# Numbers of cases of each kind. Cases of whole runs take ten seconds and more, and are slow tests.
SHORT = {
    "writes": range(0, 500, 9), "swaps": range(0, 450, 150), "flips": range(9), "params": range(150), "tables": range(60), "archives": range(40),
    "images": range(100), "sources": range(40),
}  # fmt: skip


@pytest.fixture(scope="module")
def grounds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Grounds]:
    warm_up()
    grounds = Grounds(tmp_path_factory.mktemp("campaign"), small=True)
    yield grounds
    grounds.close()


def assert_none_wrong(grounds: Grounds, name: str, numbers: range) -> None:
    """Try cases; none may be silent, end in a traceback or hang."""
    kind = KINDS[name]
    results = judged(kind, kind.prepare(grounds), [Case(name, number) for number in numbers])
    assert len(results) == len(numbers)
    wrong = [
        f"--only {name} --case {case.number}: {verdict}" for case, verdict, _ in results if verdict.outcome in WRONG
    ]
    right = sum(verdict.outcome is Outcome.RIGHT for _, verdict, _ in results)
    assert len(results) < 20 or 20 * right >= len(results), "nearly everything is refused, also what should be right"
    assert not wrong, "replay with `python -m tests.campaign`:\n" + "\n".join(wrong)


@pytest.mark.parametrize("name", SHORT)
def test_no_case_is_silent_or_a_traceback(grounds: Grounds, name: str) -> None:
    assert_none_wrong(grounds, name, SHORT[name])


@pytest.mark.slow(reason="tests/workflow/test_bridge.py kills a run, and both engines continue it to the same bytes")
def test_runs_that_are_killed_end_in_the_same_bytes(grounds: Grounds) -> None:
    """Snakemake makes the reference. In this case, DVC is killed on its way to other settings, and then makes the same bytes."""
    assert_none_wrong(grounds, "kills", range(8, 9))


def fail(error: BaseException) -> None:
    raise error


@pytest.mark.parametrize(
    ("function", "outcome"),
    [
        (lambda: 3, Outcome.RIGHT),
        (lambda: 4, Outcome.SILENT),
        (lambda: fail(UserError("Give 3.")), Outcome.SENTENCE),
        (lambda: fail(SystemExit("Give 3.")), Outcome.TRACEBACK),  # it printed nothing
        (lambda: fail(SystemExit(print("x" * 5000) or 1)), Outcome.TRACEBACK),  # it is too long
        (lambda: fail(KeyError("a")), Outcome.TRACEBACK),
        (lambda: print("Traceback (most recent call last):"), Outcome.TRACEBACK),
        (lambda: os.kill(os.getpid(), signal.SIGKILL), Outcome.TRACEBACK),
        (lambda: bytearray(2**33), Outcome.HANG),
        (lambda: time.sleep(60), Outcome.HANG),
    ],
)
def test_outcomes_are_told_apart(function: object, outcome: Outcome) -> None:
    reply = isolated.call(function, seconds=2)  # type: ignore[arg-type]
    assert reply.judged(3, "a case").outcome is outcome


def test_table_counts_kills_and_outcomes() -> None:
    tally = Tally()
    tally.add(Case("kills", 0), Verdict(Outcome.RIGHT, "", tries=10), 2.0)
    tally.add(Case("flips", 0), Verdict(Outcome.SILENT, ""), 1.0)
    assert tally.wrong == 1
    assert tally.table().splitlines()[-1].split() == ["all", "2", "11", "1", "0", "0", "0", "1", "3"]


def test_the_whole_campaign_has_as_many_cases_as_it_promises() -> None:
    """CONTRIBUTING.md and docs/trust.md promise ten thousand; a tenth of the kills may come after the end of a run."""
    kills_of_runs = 0.9 * KILLS * KINDS["kills"].cases
    assert kills_of_runs >= 100
    assert kills_of_runs + KINDS["writes"].cases >= 1_000
    assert sum(kind.cases for name, kind in KINDS.items() if name not in ("kills", "writes")) >= 10_000


def test_schedule_has_all_kinds_in_proportion() -> None:
    cases: list[Case] = []
    batches = schedule(list(KINDS.values()), seed=0)
    while len(cases) < sum(kind.cases for kind in KINDS.values()):
        cases += next(batches)
    assert len(set(cases)) == len(cases)
    assert Counter(case.kind for case in cases) == {name: kind.cases for name, kind in KINDS.items()}
