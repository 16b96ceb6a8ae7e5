"""The records of both engines, made equal: the process that the bridge starts, `python -m workflow.records`."""

import json
import logging
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline_steps.closure import forget
from pipeline_steps.code_hashes import write_hashes
from pipeline_steps.last_resort import RAISED, explain
from pipeline_steps.plan_check import PLANNED
from pipeline_steps.running import RUNNING
from vaeline.data.paths import DataFiles
from vaeline.runs.folder import TIMING
from vaeline.runs.timing import entry_of
from vaeline.study.reading import PARAMS, load
from vaeline.system.errors import UserError, in_words
from vaeline.system.files import is_disk_full, write_json, written_aside
from workflow.bridge import LOCK, SEEN, alone, state_of_study, stats_of
from workflow.file_claims import says_other
from workflow.parameters_once import parsed_once
from workflow.project_checks import in_future
from workflow.run_cache import entries_as_json

if TYPE_CHECKING:
    from dvc.repo import Repo
    from dvc.stage import PipelineStage
    from snakemake.jobs import Job
    from snakemake.workflow import Workflow


def main(record: bool) -> None:
    """Record what a run has finished, and make Snakemake's records equal to DVC's.

    Args:
        record: whether to record; if not, nothing is done while a run is going on.
    """
    from dvc.repo import Repo, lock_repo

    from pipeline_steps import dvc_locks

    logging.getLogger("dvc").setLevel(logging.WARNING)
    before = state_of_study()
    with alone(), planned() as workflow, parsed_once(), entries_as_json(), Repo(".") as repo, lock_repo(repo):
        if RUNNING.exists() and not record:
            return
        dvc_locks.leave(repo)
        write_hashes(load())
        jobs = [job for level in workflow.dag.toposorted() for job in level if job.output]
        if RUNNING.exists():
            _record_run(repo, workflow, _stages(repo, jobs))
        _leave_the_future(path for job in jobs for path in job.output)
        stale = _make_equal(workflow, _stages(repo, jobs))
    forget()
    if (
        state_of_study() != before
    ):  # an edit meanwhile: which stages were looked at before it, and which after it, is unknown
        SEEN.unlink(missing_ok=True)
        return
    files = stats_of(path for job in jobs for path in job.output)
    write_json(SEEN, {"files": files, "study": before if stale else None})


def _stages(repo: "Repo", jobs: "list[Job]") -> "dict[Job, PipelineStage]":
    """The stages of jobs as DVC reads them now: a stage remembers in what it differed from the records that it was read with."""
    by_output = {out.def_path: stage for stage in repo.index.stages for out in stage.outs}
    return {job: by_output[job.output[0]] for job in jobs}


def _record_run(repo: "Repo", workflow: "Workflow", stages: "dict[Job, PipelineStage]") -> None:
    """Record what the run that has ended has finished."""
    since = RUNNING.stat().st_mtime
    finished = {job: stage for job, stage in stages.items() if _finished(workflow, job, since)}
    _record(repo, workflow, finished, since)
    RUNNING.unlink()
    workflow.persistence.cleanup_locks()


def _make_equal(workflow: "Workflow", stages: "dict[Job, PipelineStage]") -> "set[Job]":
    """Make Snakemake's records equal to DVC's, and return the jobs that are stale."""
    stale = {job for job, stage in stages.items() if stage.status() or _contradiction(job)}
    for job in stages:
        if job in stale:
            workflow.persistence.started(job)
        else:
            _accept(workflow, job)
    return stale


@contextmanager
def planned() -> Iterator["Workflow"]:
    """The workflow with the jobs of the whole study, planned as if no job had run."""
    from snakemake.api import SnakemakeApi
    from snakemake.settings import enums, types
    from snakemake_interface_executor_plugins.settings import ExecMode

    within_run = PLANNED in os.environ
    os.environ.setdefault(PLANNED, "{}")  # the Snakefile hands it to jobs, of which this workflow runs none
    with SnakemakeApi(types.OutputSettings(quiet={enums.Quietness.ALL})) as api:
        settings = types.WorkflowSettings(
            exec_mode=ExecMode.SUBPROCESS
        )  # with which the Snakefile does not start the bridge
        within = api.workflow(types.ResourceSettings(cores=1), workflow_settings=settings, snakefile=Path("Snakefile"))
        within.dag(types.DAGSettings(targets={"all"}, forceall=True))
        workflow = within._workflow
        settings.exec_mode = ExecMode.DEFAULT
        workflow.execution_settings = types.ExecutionSettings()
        workflow._prepare_dag(forceall=True, ignore_incomplete=True, lock_warn_only=False)
        workflow._build_dag()
        if not within_run:
            del os.environ[PLANNED]
        yield workflow


def _finished(workflow: "Workflow", job: "Job", since: float) -> bool:
    """Whether Snakemake ran a job to its end, would run it the same way today, and its files and inputs are unchanged.

    The job `code` is finished if its files are there, because the bridge itself has just written them.
    """
    known = workflow.persistence
    if not all(map(os.path.exists, [*job.input, *job.output])) or not known.has_metadata(job):
        return False
    if job.rule.name == "code":
        return True
    times = [os.path.getmtime(path) for path in job.output]
    return (
        times == [known.metadata(path).endtime for path in job.output]
        and max([since, *map(_latest, job.input)]) <= min(times)
        and not known.params_changed(job)
        and not any(known.code_changed(job))
        and not _contradiction(job)
    )


def _contradiction(job: "Job") -> str:
    """What the files of a job say against being recorded, which is printed; empty if they say nothing."""
    said = says_other(job.rule.name, dict(job.wildcards.items()), load())
    if said:
        print(f"{job.rule.name}: {said}", file=sys.stderr)
    return said


def _record(repo: "Repo", workflow: "Workflow", finished: "dict[Job, PipelineStage]", since: float) -> None:
    """Do the work of `dvc commit --force`, but replace dvc.lock in one step, so that an interrupt does not damage it.

    DVC looks at parameters and files now. A job is left out if they are no longer those that Snakemake had planned it with.
    """
    from dvc.dvcfile import Lockfile

    before = state_of_study()
    for stage in finished.values():
        stage.save()
        stage.commit(relink=False)
    forget()
    unchanged = state_of_study() == before
    stages = [
        stage
        for job, stage in finished.items()
        if unchanged and _finished(workflow, job, since) and _recorded(stage).items() <= _parameters(job).items()
    ]
    if stages:
        with written_aside(LOCK) as aside:
            if LOCK.exists():
                shutil.copy(LOCK, aside)
            Lockfile(repo, str(aside)).dump_stages(stages)
    repo._reset()


def _parameters(job: "Job") -> dict[str, str]:
    """The parameters that Snakemake planned a job with: values as JSON by their dotted keys."""
    return dict(parameter.split("=", 1) for parameter in job.params)


def _recorded(stage: "PipelineStage") -> dict[str, str]:
    """The parameters that DVC has looked up for a stage, in the form of `_parameters`."""
    from dvc.dependency.param import ParamsDependency

    found = {}
    for each in stage.deps:
        if isinstance(each, ParamsDependency):
            above = "" if each.def_path == str(PARAMS) else "code."
            for key, value in each.hash_info.value.items():
                found[above + key] = json.dumps(value, sort_keys=True)
    return found


def _leave_the_future(outputs: Iterable[str]) -> None:
    """Set the times of our own files to now if they lie in the future, so that what is made of them does not look old."""
    for path in filter(in_future, outputs):
        _set_time(path, time.time())


def _set_time(path: str, when: float) -> None:
    """Set the time of a file, or of a link into a cache of DVC.

    The file of another user, and a link to a file that is later, are replaced by a copy.
    """
    try:
        os.utime(path, (when, when), follow_symlinks=False)
        if not os.path.islink(path) or os.path.getmtime(path) <= when:
            return
    except PermissionError:
        pass
    with written_aside(Path(path)) as aside:
        shutil.copyfile(path, aside)
    os.utime(path, (when, when))


def _accept(workflow: "Workflow", job: "Job") -> None:
    """Record in Snakemake that it made a job's files, in the way it would today, from the inputs as they are."""
    newest = min(time.time(), max(map(_latest, job.input), default=0))
    for path in job.output:
        if os.lstat(path).st_mtime < newest:
            _set_time(path, newest)
    known = workflow.persistence
    before = {path: (record.starttime, record.endtime) for path in job.output if (record := known.metadata(path))}
    workflow.async_run(known.finished(job))
    known._clear_cache()  # which remembers that there was no record
    for path in job.output:
        record = known.metadata(path)
        started, ended = before.get(path, (None, None))
        # For a job that DVC ran, Snakemake records now as the start, which is later than the end; its report cannot draw that.
        record.starttime = started if ended == record.endtime else record.endtime - _seconds(job)
        known._write_record(str(path), record)


def _latest(path: str) -> float:
    """The time of an input as Snakemake takes it: of a link, the later of its own time and that of its target."""
    return max(os.lstat(path).st_mtime, os.path.getmtime(path))


def _seconds(job: "Job") -> float:
    """How long a job took when it last ran, by its timing.json; one second if there is no entry."""
    of_run, shared = Path(job.output[0]).with_name(TIMING), DataFiles(str(job.wildcards.get("id"))).timing
    name = entry_of(job.rule.name, str(job.wildcards.get("features")))
    for path in (of_run, shared):
        with suppress(OSError, ValueError, LookupError, TypeError, RecursionError):
            return float(json.loads(path.read_text(encoding="utf-8"))[name]["seconds"])
    return 1.0


def _end_with_sentence(work: Callable[[], None]) -> None:
    """Do the work of the process, and end it with one sentence if it fails."""
    from dvc.exceptions import DvcException
    from dvc.utils.serialize import YAMLFileCorruptedError

    try:
        work()
    except YAMLFileCorruptedError as error:
        sys.exit(
            f"{_line(error)}; resolve git's conflict in the file, or restore it with `git checkout`, and run again."
        )
    except (DvcException, UserError) as error:
        sys.exit(_line(error))
    except OSError as error:
        sys.exit(str(in_words(error)))
    except Exception as error:
        if is_disk_full(error):
            sys.exit("the disk is full; free some space and run again.")
        if RAISED in os.environ:
            raise
        sys.exit(explain(error, "bridge"))


def _line(error: Exception) -> str:
    return " ".join(str(error).split())


if __name__ == "__main__":
    _end_with_sentence(lambda: main("--record" in sys.argv))
