"""The bridge between Snakemake and DVC: what one engine ran, the other accepts.

`dvc.lock` is the only record of what was made from what, and DVC alone decides what is stale. The stages that a run of
Snakemake has finished are recorded there. Before Snakemake plans, its own records are made equal to DVC's: a stage that is
clean for DVC is accepted as if it had just run, and any other stage is marked incomplete, so that Snakemake runs it.
Nothing is deleted, so that all files are still there if an edit is undone.

A process of its own (`python -m workflow.bridge`) does the work. If nothing has changed, it is not started.
"""

import errno
import json
import logging
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from snakemake.exceptions import WorkflowError

from pipeline_steps.closure import forget
from pipeline_steps.code_hashes import hashes, write_hashes
from pipeline_steps.last_resort import RAISED, explain
from pipeline_steps.plan_check import PLANNED
from pipeline_steps.running import RUNNING, lock
from vaeline.data import source_fingerprint
from vaeline.data.paths import DataFiles
from vaeline.evaluation import given_weights
from vaeline.runs.folder import TIMING
from vaeline.runs.timing import entry_of
from vaeline.study.reading import PARAMS, load
from vaeline.system.errors import UserError, in_words
from vaeline.system.files import is_disk_full, write_json, written_aside
from workflow import another_run
from workflow.file_claims import says_other
from workflow.parameters_once import parsed_once
from workflow.project_checks import check_folder_of_snakemake, check_project, check_repository, in_future
from workflow.run_cache import entries_as_json
from workflow.waiting import wait_for

if TYPE_CHECKING:
    from dvc.repo import Repo
    from dvc.stage import PipelineStage
    from snakemake.jobs import Job
    from snakemake.workflow import Workflow

FOLDER = RUNNING.parent
SEEN = FOLDER / "seen.json"  # the state of the files when Snakemake's records were last made equal to DVC's
LOCKS = FOLDER.parent / "locks"  # of Snakemake
LOCK = Path("dvc.lock")
held: list[TextIO] = []  # keeps the file of `begin` open


def adopt(outputs: list[str]) -> None:
    """Before planning, make Snakemake's records equal to DVC's, unless they are equal or a run is going on.

    A project that cannot be written is planned by Snakemake's own records, with a note.

    Raises:
        WorkflowError: DVC is running, its files are damaged, there is no git repository, or Snakemake cannot make its folder.
    """
    another_run.replace_advice()
    logging.raiseExceptions = False  # on a full disk, each message of Snakemake would be followed by a traceback
    try:
        check_folder_of_snakemake(FOLDER.parent)
        _adopt(outputs)
    except OSError as error:
        if error.errno not in (errno.EROFS, errno.EACCES, errno.EPERM):
            raise WorkflowError(f"DVC's records cannot be checked ({error}); correct this and run again.") from None
        print(f"DVC's records are not checked ({error}).", file=sys.stderr)
    except UserError as error:
        raise WorkflowError(str(error)) from None


def _adopt(outputs: list[str]) -> None:
    with ExitStack() as stack:
        left = RUNNING.exists()
        if left and not lock(stack.enter_context(RUNNING.open("a"))):
            return
        if not left:
            _remove_locks()
            if not any(map(os.path.exists, outputs)) or (_is_seen(outputs) and not any(map(in_future, outputs))):
                return
        check_repository()
        FOLDER.mkdir(parents=True, exist_ok=True)
        with (FOLDER / "lock").open("a"):  # raises an OSError if the folder cannot be written
            pass
        settle(record=left)


def _remove_locks() -> None:
    """Remove the locks of a Snakemake that was killed before it marked its run; the mark, which has a lock, keeps runs apart."""
    for path in LOCKS.glob("*.lock"):
        path.unlink(missing_ok=True)


def begin(code: list[str], outputs: list[str]) -> None:
    """When a run starts, mark it as going on until this process ends, however it ends, and keep DVC out until then.

    Args:
        code: the files of the code.
        outputs: the files that the run makes.

    Raises:
        WorkflowError: the project is not ready, or another run is going on, of either engine.
    """
    from pipeline_steps import dvc_locks  # which imports DVC

    try:
        check_project(code, outputs, PARAMS)
        if late := source_fingerprint.file_of_the_future(load().dataset):
            print(f"Note: {late} has a time in the future.", file=sys.stderr)
        dvc_locks.refuse_beside_dvc()  # before a step that DVC starts would be refused
        with _alone():
            held.append(RUNNING.open("a"))
            began = lock(held[-1])
        if began:
            another_run.mark(held[-1])
            dvc_locks.enter()
    except UserError as error:
        raise WorkflowError(str(error)) from None
    except OSError as error:
        raise WorkflowError(f"A run cannot begin in this project ({error}); correct this and run again.") from None
    if not began:
        raise another_run.refusal()


def settle(record: bool = True) -> None:
    """When a run ends, record what it finished, and make Snakemake's records equal to DVC's.

    Args:
        record: whether the run is the caller's to record; if not, nothing is done while a run is going on.

    Raises:
        WorkflowError: this failed.
    """
    try:
        with _alone():  # the process would wait without a word
            pass
    except UserError as error:
        raise WorkflowError(str(error)) from None
    command = [sys.executable, "-m", "workflow.bridge", *(["--record"] if record else [])]
    process = subprocess.Popen(command, start_new_session=True, stderr=subprocess.PIPE, text=True)
    try:
        _, said = process.communicate()
    except KeyboardInterrupt:  # the process has a session of its own and is not interrupted
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        print("Recording for DVC what this run has finished; please wait.", file=sys.stderr)
        process.communicate()
        sys.exit(130)
    if process.returncode:
        reason = said.strip() or f"its process ended with status {process.returncode}"
        raise WorkflowError(f"Snakemake's records could not be compared with DVC's: {reason}")
    print(said, end="", file=sys.stderr)


def main(record: bool) -> None:
    """The process that `settle` starts."""
    from dvc.repo import Repo, lock_repo

    from pipeline_steps import dvc_locks

    logging.getLogger("dvc").setLevel(logging.WARNING)
    before = _study()
    with _alone(), planned() as workflow, parsed_once(), entries_as_json(), Repo(".") as repo, lock_repo(repo):
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
    if _study() != before:  # an edit meanwhile: which stages were looked at before it, and which after it, is unknown
        SEEN.unlink(missing_ok=True)
        return
    files = _stats(path for job in jobs for path in job.output)
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

    before = _study()
    for stage in finished.values():
        stage.save()
        stage.commit(relink=False)
    forget()
    unchanged = _study() == before
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


@contextmanager
def _alone() -> Iterator[None]:
    """Within the block, no run begins and no other bridge works."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with (FOLDER / "lock").open("a") as file:
        wait_for(file)
        yield


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
    rules = [
        Path("Snakefile"),
        *sorted(Path("workflow/rules").glob("*.smk")),
    ]  # another command of a rule is no other stage
    files = [LOCK, Path("dvc.yaml"), *rules, *map(Path, sorted(outputs))]
    found = [(path, path.stat(), path.lstat()) for path in files if path.exists()]
    return [[str(path), file.st_mtime_ns, file.st_size, link.st_mtime_ns] for path, file, link in found]


def _study() -> list[Any]:
    study = load()
    files = [source_fingerprint.of_source(study.dataset), given_weights.fingerprint(study)]
    return [study.model_dump(mode="json"), hashes(study), files]


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
