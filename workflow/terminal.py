"""A logger plugin of Snakemake for people: a line for each running job on a terminal, elsewhere a line for each job that ends."""

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Any, ClassVar

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text
from snakemake_interface_logger_plugins.base import LogHandlerBase
from snakemake_interface_logger_plugins.common import LogEvent

from vaeline.system import progress
from workflow.captured import Captured
from workflow.said import Job, Kind, Line, Said

EACH = 0.4  # seconds between two looks at what was printed
STYLES = {"warning": "yellow", "error": "bold red", "progress": "dim", "done": "green", "": ""}
# What Snakemake says of jobs that fail: the step itself has said why, and the job was named.
NOTHING_NEW = (
    "Exiting because a job execution failed",
    "At least one job did not complete",
    "CalledProcessError in file",
)
KIND = "WorkflowError:\n"  # before a sentence of ours, or of Snakemake's
UP_TO_DATE = "Nothing to be done"
INTERRUPTED = "Interrupted."  # which steps print on Ctrl-C: then no job has failed


class LogHandler(LogHandlerBase):
    """Shows the events of a run, and what the steps print, which `captured` takes in."""

    captured: ClassVar[Captured]
    quiet: ClassVar[bool] = False

    def __post_init__(self) -> None:
        self.said, self._lock, self._began = Said(), threading.RLock(), time.monotonic()
        self._total, self._done, self._failed = Counter[str](), Counter[str](), set[int]()
        self._interrupted = False
        self._spent: dict[str, tuple[float, float]] = {}  # rule -> when its first job began and its last one ended
        stream = self.captured.terminal()
        self._console = Console(file=stream, highlight=False, soft_wrap=True)
        self._live = Live(
            console=self._console, get_renderable=self._running, auto_refresh=False, transient=True,
            redirect_stdout=False, redirect_stderr=False,
        ) if self._console.is_terminal and not self.quiet else None  # fmt: skip
        if self._live:
            self._live.start()
        self._ended = threading.Event()
        self._watcher = threading.Thread(target=self._watch, daemon=True)
        self._watcher.start()

    # What Snakemake asks of a plugin.
    writes_to_stream, writes_to_file, has_filter, has_formatter, needs_rulegraph = True, False, True, True, False

    def emit(self, record: logging.LogRecord) -> None:
        """Show an event, or a message that is an error or a warning."""
        events: dict[LogEvent | None, Callable[[Any], None]] = {
            LogEvent.RUN_INFO: self._plan,
            LogEvent.JOB_INFO: self._start,
            LogEvent.JOB_FINISHED: self._finish,
            LogEvent.JOB_ERROR: self._fail,
        }
        with self._lock:
            event = getattr(record, "event", None)
            if event in events:
                events[event](record)
            elif record.levelno >= logging.WARNING or str(record.msg).startswith(UP_TO_DATE):
                self._message(str(record.msg), record.levelno)

    def close(self) -> None:
        """Show what was printed last, and give the terminal back. Snakemake calls this twice."""
        if self._ended.is_set():
            return
        self._ended.set()
        self._watcher.join()
        with self._lock:
            self._take()
            if rest := self.captured.lines.last():
                self._show(self.said.sort(rest))
            if self._live:
                self._live.stop()
                self._live = None
            for sentence in self.said.repeated():
                self._print(Line(sentence, "warning"))
            done, total = sum(self._done.values()), sum(self._total.values())
            if total:
                rest = "" if done == total else "; the next run goes on from there"
                self._tell(f"{done} of {total} jobs are done, after {clock(time.monotonic() - self._began)}{rest}.")
        super().close()

    def _plan(self, record: Any) -> None:
        self._total = Counter({rule: count for rule, count in record.stats.items() if rule not in ("total", "all")})

    def _start(self, record: Any) -> None:
        label = (
            (record.rule_msg or f"{record.rule_name} {' '.join(record.wildcards.values())}").strip().removesuffix(".")
        )
        now = time.monotonic()
        of = progress.name_of(record.rule_name, record.wildcards)
        job = Job(record.rule_name, label, of, now, record.shellcmd is not None)
        self.said.start(record.jobid, job)
        first, last = self._spent.get(job.rule, (now, now))
        self._spent[job.rule] = first, last

    def _finish(self, record: Any) -> None:
        job = self.said.jobs.get(record.job_id)
        if job is None or not job.counted:
            self.said.jobs.pop(record.job_id, None)
            return
        self._take()
        del self.said.jobs[record.job_id]
        now = time.monotonic()
        self._done[job.rule] += 1
        self._spent[job.rule] = self._spent[job.rule][0], now
        done, total = sum(self._done.values()), sum(self._total.values())
        if not self._live:
            self._tell(f"{done} of {total}: {job.label} ({clock(now - job.began)})")
        elif self._done[job.rule] == self._total[job.rule]:
            self._tell(f"{job.rule}: {self._total[job.rule]} done in {clock(now - self._spent[job.rule][0])}")

    def _fail(self, record: Any) -> None:
        if record.jobid in self._failed and record.jobid not in self.said.jobs:
            return  # Snakemake tells it again at the end
        self._take()
        self._failed.add(record.jobid)
        job = self.said.jobs.pop(record.jobid, None)
        if self._interrupted:
            return
        logs = f"; what it printed is in {', '.join(record.log)}" if record.log else ""
        self._print(Line(f"Failed: {job.label if job else record.rule_name}{logs}.", "error"))

    def _message(self, text: str, level: int) -> None:
        if not any(words in text for words in NOTHING_NEW):
            kind: Kind = "error" if level >= logging.ERROR else "warning" if level >= logging.WARNING else "done"
            said = text.strip()
            self._print(Line(f"Error: {said.removeprefix(KIND)}" if said.startswith(KIND) else said, kind))

    def _watch(self) -> None:
        """Look at what was printed, until the run ends."""
        while not self._ended.wait(EACH):
            with self._lock:
                self._take()
                if self._live:
                    self._live.refresh()

    def _take(self) -> None:
        """Show the lines that were printed since the last look."""
        for text in self.captured.lines.new():
            self._show(self.said.sort(text))

    def _show(self, line: Line | None) -> None:
        self._interrupted |= line is not None and line.text == INTERRUPTED
        if line and not (self.quiet and line.kind not in ("warning", "error")):
            self._print(line)

    def _tell(self, text: str) -> None:
        if not self.quiet:
            self._print(Line(text, "done"))

    def _print(self, line: Line) -> None:
        self._console.print(Text(line.text, STYLES[line.kind]))

    def _running(self) -> Group:
        """The lines of the running jobs, and how many are done."""
        now, total = time.monotonic(), sum(self._total.values())
        jobs = [job for job in self.said.jobs.values() if job.counted]
        lines = [
            Text.assemble((f"  {job.label}", "bold"), f"  {clock(now - job.began)}  ", (job.words, "dim"), no_wrap=True, overflow="ellipsis")
            for job in jobs
        ]  # fmt: skip
        if not total:
            return Group(Text("Planning the run.", "dim"))
        done = sum(self._done.values())
        doing = f"{len(jobs)} running" if jobs or done < total else "recording them for DVC"
        return Group(*lines, Text(f"{done} of {total} jobs done, {doing}, {clock(now - self._began)}", "dim"))


def clock(seconds: float) -> str:
    """A time as `0:07` or `1:02:03`."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
