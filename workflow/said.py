"""What the steps of a run say, sorted: progress belongs to a running job, and a warning of several runs is told once."""

import re
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from vaeline.system.errors import some_of

# As vaeline/system/progress.py writes it without a terminal.
PROGRESS = re.compile(
    r"(?:(?P<what>.*?): )?(?:(?P<how>.*) \| )?(?P<done>[\d,]+)(?: of (?P<total>[\d,]+))? \w+, \S+ a (?:second|minute)(?:, (?P<left>about \d+ min left))?"
)
Kind = Literal["warning", "error", "progress", "done", ""]  # of a line; "" for what a step tells
WARNING = "Warning: "
OF_LIBRARY = re.compile(r"\S+:\d+: \w*Warning: ")  # with its place, and with the line of code on a line of its own
OF_SNAKEMAKE = "Using workflow specific profile"  # which it prints before it has a logger


@dataclass
class Job:
    """A job that Snakemake has started."""

    rule: str
    label: str  # its message, as in "Training cvae, seed 0"
    about: str  # how the lines of its step begin, as `progress.name_of` says
    began: float  # seconds of the monotonic clock
    counted: bool = True  # whether a step runs, unlike for the target of all files
    words: str = ""  # its progress


class Line(NamedTuple):
    """A line for the user."""

    text: str
    kind: Kind


@dataclass
class Said:
    """Sorts the lines that steps print."""

    jobs: dict[int, Job] = field(default_factory=dict)  # that run, by their number
    names: set[str] = field(default_factory=set)  # what lines of jobs begin with, those that have ended too
    # A warning without its run -> the runs that it came from.
    warned: dict[str, list[str]] = field(default_factory=dict)
    after_warning: bool = False  # whether the last line was the warning of a library

    def start(self, number: int, job: Job) -> None:
        """Note that a job runs."""
        self.jobs[number] = job
        self.names.add(job.about)

    def sort(self, text: str) -> Line | None:
        """The line to show now for a line of a step; None for progress, and for a warning that was shown before."""
        if text.startswith(OF_SNAKEMAKE):
            return None
        job = next((each for each in self.jobs.values() if text.startswith(each.about)), None)
        if found := PROGRESS.fullmatch(text.removeprefix(job.about) if job else text):
            if job is None:
                return Line(text, "progress")
            job.words = _words(found)
            return None
        after_warning, self.after_warning = self.after_warning, False
        if after_warning and text.startswith("  "):
            return None
        own, said = text.startswith(WARNING), text.removeprefix(WARNING)
        of = next((name for name in self.names if said.startswith(name)), "")
        said = said.removeprefix(of)
        if own or OF_LIBRARY.match(said):
            self.after_warning = not own
            return Line(text, "warning") if self._is_new(said, of.removesuffix(": ")) else None
        return Line(text, "error" if text.startswith("Error: ") else "")

    def _is_new(self, warning: str, run: str) -> bool:
        """Whether no run has given a warning before. Notes the run."""
        runs = self.warned.setdefault(warning, [])
        if run not in runs:
            runs.append(run)
            return len(runs) == 1
        return False

    def repeated(self) -> list[str]:
        """A sentence for each warning that several runs gave."""
        return [
            f"The warning of {runs[0]} holds for {some_of(runs[1:])} too: {said}"
            for said, runs in self.warned.items()
            if len(runs) > 1
        ]


def _words(progress: re.Match[str]) -> str:
    """How far a job is, with what people ask first before its details."""
    done, total = (int((progress[name] or "0").replace(",", "")) for name in ("done", "total"))
    far = f"{100 * done // total} %" if total else f"{done:,}"
    return " ".join(filter(None, [progress["what"], ", ".join(filter(None, [far, progress["left"]])), progress["how"]]))
