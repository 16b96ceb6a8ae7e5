"""The end of a run that failed: each job that failed, with the last lines of its log, which are far above by then."""

import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from snakemake.workflow import Workflow

LAST = 5  # lines of a log


def tell_failures(workflow: "Workflow") -> None:
    """Print what failed, unless a logger plugin shows the run; logs of a group, a job of a cluster, are shown by Snakemake."""
    if workflow.output_settings.log_handler_settings:
        return
    jobs = [job for job in workflow.scheduler.failed if not job.is_group()]
    for job in sorted(jobs, key=lambda job: workflow.dag.jobid(job)):
        about = " ".join([job.rule.name, *job.wildcards])
        for path in map(Path, job.log):
            print("\n".join([f"Failed: {about}; its log is {path}:", *_last_lines(path)]), file=sys.stderr)


def _last_lines(path: Path) -> Iterator[str]:
    """The last lines of a log, indented."""
    with suppress(OSError):
        for line in path.read_text(encoding="utf-8", errors="backslashreplace").splitlines()[-LAST:]:
            yield f"    {line}"
