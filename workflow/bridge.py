"""The bridge between Snakemake and DVC: what one engine ran, the other accepts.

`dvc.lock` is the only record of what was made from what, and DVC alone decides what is stale. The stages that a run of
Snakemake has finished are recorded there. Before Snakemake plans, its own records are made equal to DVC's: a stage that is
clean for DVC is accepted as if it had just run, and any other stage is marked incomplete, so that Snakemake runs it.
Nothing is deleted, so that all files are still there if an edit is undone.

A process of its own (`python -m workflow.bridge`) does the work. If nothing has changed, it is not started.
"""

import fcntl
import json
import logging
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from snakemake.exceptions import WorkflowError

from pipeline_steps.code import hashes, write_hashes
from pipeline_steps.command import RUNNING
from vaeline.data.paths import DataFiles
from vaeline.runs.folder import TIMING
from vaeline.study.reading import load
from vaeline.system.errors import UserError
from vaeline.system.files import write_json, written_aside

if TYPE_CHECKING:
    from dvc.repo import Repo
    from dvc.stage import PipelineStage
    from snakemake.jobs import Job
    from snakemake.workflow import Workflow

FOLDER = RUNNING.parent
SEEN = FOLDER / "seen.json"  # the state of the files when Snakemake's records were last made equal to DVC's
LOCK = Path("dvc.lock")
held: list[TextIO] = []  # keeps the file of `begin` open


def adopt(outputs: list[str]) -> None:
    """Before planning, make Snakemake's records equal to DVC's, unless they are equal or a run is going on.

    Raises:
        WorkflowError: DVC is running, or its files are damaged.
    """
    with ExitStack() as stack:
        left = RUNNING.exists()
        if left:
            if not _lock(stack.enter_context(RUNNING.open("a"))):
                return
        elif not any(map(os.path.exists, outputs)) or _is_seen(outputs):
            return
        if settle(record=left):
            raise WorkflowError("DVC's records of the study cannot be read, for the reason above.")


def begin() -> None:
    """When a run starts, mark it as going on until this process ends, however it ends.

    Raises:
        WorkflowError: another run is going on.
    """
    with _alone():
        held.append(RUNNING.open("a"))
        began = _lock(held[-1])
    if not began:
        raise WorkflowError("Another run of Snakemake is going on in this project; wait for it to end, or stop it.")


def settle(record: bool = True) -> int:
    """When a run ends, record what it finished, and make Snakemake's records equal to DVC's.

    Args:
        record: whether the run is the caller's to record; if not, nothing is done while a run is going on.

    Returns:
        An exit code.
    """
    command = [sys.executable, "-m", "workflow.bridge", *(["--record"] if record else [])]
    process = subprocess.Popen(command, start_new_session=True)
    try:
        return process.wait()
    except KeyboardInterrupt:  # the process has a session of its own and is not interrupted
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        print("Recording for DVC what this run has finished; please wait.", file=sys.stderr)
        process.wait()
        sys.exit(130)


def main(record: bool) -> None:
    """The process that `settle` starts."""
    from dvc.repo import Repo, lock_repo

    logging.getLogger("dvc").setLevel(logging.WARNING)
    write_hashes(load())
    with _alone(), planned() as workflow, Repo(".") as repo, lock_repo(repo):
        if RUNNING.exists() and not record:
            return
        jobs = [job for level in workflow.dag.toposorted() for job in level if job.output]
        stages = {out.def_path: stage for stage in repo.index.stages for out in stage.outs}
        if RUNNING.exists():
            since = RUNNING.stat().st_mtime
            _record(repo, [stages[job.output[0]] for job in jobs if _finished(workflow, job, since)])
            RUNNING.unlink()
            workflow.persistence.cleanup_locks()
        stale = {job for job in jobs if stages[job.output[0]].status()}
        for job in jobs:
            if job in stale:
                workflow.persistence.started(job)
            else:
                _accept(workflow, job)
    files = _stats(path for job in jobs for path in job.output)
    write_json(SEEN, {"files": files, "study": _study() if stale else None})


@contextmanager
def planned() -> Iterator["Workflow"]:
    """The workflow with the jobs of the whole study, planned as if no job had run."""
    from snakemake.api import SnakemakeApi
    from snakemake.settings import enums, types
    from snakemake_interface_executor_plugins.settings import ExecMode

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
        yield workflow


def _finished(workflow: "Workflow", job: "Job", since: float) -> bool:
    """Whether Snakemake ran a job to its end, would run it the same way today, and its files and inputs are unchanged."""
    known = workflow.persistence
    if not all(map(os.path.exists, [*job.input, *job.output])) or not known.has_metadata(job):
        return False
    times = [os.path.getmtime(path) for path in job.output]
    return (
        times == [known.metadata(path).endtime for path in job.output]
        and max([since, *map(os.path.getmtime, job.input)]) <= min(times)
        and not known.params_changed(job)
        and not any(known.code_changed(job))
    )


def _record(repo: "Repo", stages: "list[PipelineStage]") -> None:
    """Do the work of `dvc commit --force`, but replace dvc.lock in one step, so that an interrupt does not damage it."""
    from dvc.dvcfile import Lockfile

    if not stages:
        return
    for stage in stages:
        stage.save()
        stage.commit(relink=False)
    with written_aside(LOCK) as aside:
        if LOCK.exists():
            shutil.copy(LOCK, aside)
        Lockfile(repo, str(aside)).dump_stages(stages)
    repo._reset()


def _accept(workflow: "Workflow", job: "Job") -> None:
    """Record in Snakemake that it made a job's files, in the way it would today, from the inputs as they are."""
    newest = max(map(os.path.getmtime, job.input), default=0)
    for path in job.output:
        if os.path.getmtime(path) < newest:
            os.utime(path, (newest, newest))
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


def _seconds(job: "Job") -> float:
    """How long a job took when it last ran, by its timing.json; one second if there is no entry."""
    of_run, shared = Path(job.output[0]).with_name(TIMING), DataFiles(str(job.wildcards.get("id"))).timing
    name = ".".join([job.rule.name, *filter(None, [job.wildcards.get("features")])])
    for path in (of_run, shared):
        with suppress(OSError, ValueError, LookupError, TypeError, RecursionError):
            return float(json.loads(path.read_text(encoding="utf-8"))[name]["seconds"])
    return 1.0


@contextmanager
def _alone() -> Iterator[None]:
    """Within the block, no run begins and no other bridge works."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with (FOLDER / "lock").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _lock(file: TextIO) -> bool:
    """Lock a file for as long as it is open. Returns False if another process has locked it."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_seen(outputs: list[str]) -> bool:
    """Whether Snakemake's records are still equal to DVC's.

    Snakemake notices an edit of the study by itself, unless a stage was stale before: then the edit may have made the stage
    clean again.
    """
    try:
        seen = json.loads(SEEN.read_text(encoding="utf-8"))
        files, study = seen["files"], seen["study"]
    except (OSError, ValueError, LookupError, TypeError, RecursionError):  # missing, damaged, or of another version
        return False
    return files == _stats(outputs) and (study is None or study == _study())


def _stats(outputs: Iterable[str]) -> list[Any]:
    files = [LOCK, Path("dvc.yaml"), *map(Path, sorted(outputs))]
    return [[str(path), path.stat().st_mtime_ns, path.stat().st_size] for path in files if path.exists()]


def _study() -> list[Any]:
    study = load()
    return [study.model_dump(mode="json"), hashes(study)]


if __name__ == "__main__":
    from dvc.exceptions import DvcException
    from dvc.rwlock import RWLockFileCorruptedError
    from dvc.utils.serialize import YAMLFileCorruptedError

    try:
        try:
            main("--record" in sys.argv)
        except RWLockFileCorruptedError:  # the process that wrote it was killed
            Path(".dvc/tmp/rwlock").unlink()
            main("--record" in sys.argv)
    except YAMLFileCorruptedError as error:
        sys.exit(f"{error}; resolve git's conflict in the file, or restore it with `git checkout`, and run again.")
    except (DvcException, UserError) as error:
        sys.exit(str(error))
