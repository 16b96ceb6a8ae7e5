"""The bridge between Snakemake and DVC: what one engine ran, the other accepts.

`dvc.lock` is the only record of what was made from what, and DVC alone decides what is stale. The stages that a run of
Snakemake has finished are recorded there. Before Snakemake plans, its own records are made equal to DVC's: a stage that is
clean for DVC is accepted as if it had just run, and any other stage is marked incomplete, so that Snakemake runs it.
Nothing is deleted, so that all files are still there if an edit is undone.

The Snakefile calls this module when it is parsed, and when a run starts and ends. A process of its own (`python -m workflow.records`)
does the work. If nothing has changed, it is not started.
"""

import errno
import json
import logging
import os
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, TextIO

from snakemake.exceptions import WorkflowError

from pipeline_steps.code_hashes import hashes
from pipeline_steps.running import RUNNING, lock
from vaeline.data import source_fingerprint
from vaeline.evaluation import given_weights
from vaeline.study.reading import PARAMS, load
from vaeline.system.errors import UserError
from workflow import another_run
from workflow.project_checks import check_folder_of_snakemake, check_project, check_repository, in_future
from workflow.waiting import wait_for

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
        with alone():
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
        with alone():  # the process would wait without a word
            pass
    except UserError as error:
        raise WorkflowError(str(error)) from None
    command = [sys.executable, "-m", "workflow.records", *(["--record"] if record else [])]
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


@contextmanager
def alone() -> Iterator[None]:
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
    return files == stats_of(outputs) and (study is None or study == state_of_study())


def stats_of(outputs: Iterable[str]) -> list[Any]:
    """The times and sizes of the outputs, and of the files that define and record the stages."""
    rules = [
        Path("Snakefile"),
        *sorted(Path("workflow/rules").glob("*.smk")),
    ]  # another command of a rule is no other stage
    files = [LOCK, Path("dvc.yaml"), *rules, *map(Path, sorted(outputs))]
    found = [(path, path.stat(), path.lstat()) for path in files if path.exists()]
    return [[str(path), file.st_mtime_ns, file.st_size, link.st_mtime_ns] for path, file, link in found]


def state_of_study() -> list[Any]:
    """All that decides the outputs beside the files of other stages: the study, the code, the files that the study names."""
    study = load()
    files = [source_fingerprint.of_source(study.dataset), given_weights.fingerprint(study)]
    return [study.model_dump(mode="json"), hashes(study), files]
