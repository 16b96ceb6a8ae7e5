"""Snakemake's scheduler, without a limit that costs a core in long runs."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from snakemake.workflow import Workflow

DEFAULT = (100, 1)  # of --max-jobs-per-timespan: jobs, seconds


def lift_default_rate_limit(workflow: "Workflow") -> None:
    """Take the limit on how many jobs start in a second off the scheduler, unless the user has set one.

    Under a limit each look of the scheduler at the jobs that are ready plans another look after the timespan, and each job that
    ends adds one. Every finished job then costs a look each second until the run ends: after 24 jobs of a study that was a
    fifth of a core.
    """
    limiter = workflow.scheduler.job_rate_limiter
    if limiter is not None and (limiter.max_jobs, limiter.timespan) == DEFAULT:
        workflow.scheduler.job_rate_limiter = None
