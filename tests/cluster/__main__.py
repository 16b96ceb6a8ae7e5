"""Run a small study on a real Slurm of one node and disturb it. At the end both engines agree, and the bytes are those of a local run.

`python -m tests.cluster` installs Slurm from Debian if it is missing, and needs root, as in a container. The submitting Snakemake is
killed, a job is cancelled, a time limit strikes, and params.yaml is edited meanwhile. pytest does not run it.
"""

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click

from tests.workflow.scratch import Project
from tests.workflow.test_end_to_end import checksums, shorten

ROOT = Path(__file__).parents[2]
SLURM = Path(__file__).with_name("slurm.sh")
SUBMIT = ("snakemake", "--workflow-profile", "profiles/slurm", "all")
BEGAN = time.monotonic()
LIMIT = 1800  # seconds to wait for an event; a busy machine is slow
UNDISTURBED, DISTURBED = "gaussian_cvae", "cvae_nf"


@click.command()
@click.option("--folder", type=click.Path(path_type=Path), help="Keeps all files there; they are temporary without it.")
def main(folder: Path | None) -> None:
    """Run a study on a real Slurm, and disturb it."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("The test was ended."))  # Slurm's daemons are ended too
    with tempfile.TemporaryDirectory(prefix="cluster") as temporary:
        folder = folder.resolve() if folder else Path(temporary)
        folder.mkdir(exist_ok=True)
        folder.chmod(0o755)  # munge is a user of its own
        with slurm(folder / "slurm"):
            disturb(clone(folder / "cluster"), clone(folder / "local"))
    say("passed")


def disturb(project: Project, local: Project) -> None:
    """Run the study of `project` on Slurm, and that of `local`, which is the same, here."""
    with started(local, "snakemake", "--cores", "1", "all") as alone:
        refuse_an_edit(project)
        lose_the_submitter(project)
        say("wait for the run without a cluster")
        assert alone.wait() == 0, log(local)
    compare(project, local)
    refuse_what_slurm_refuses(project)


@contextlib.contextmanager
def slurm(folder: Path) -> Iterator[None]:
    """A Slurm within the block."""
    subprocess.run([SLURM, "start", folder], check=True, stdin=subprocess.DEVNULL)
    say("Slurm has started")
    try:
        yield
    finally:
        subprocess.run([SLURM, "stop", folder], check=True, stdin=subprocess.DEVNULL)


def clone(folder: Path) -> Project:
    """A clone of this repository with a study of two variants, of which one trains for some seconds."""
    subprocess.run(["git", "clone", "--quiet", ROOT, folder], check=True)
    project = Project(folder)

    def change(params: dict[str, Any]) -> None:
        shorten(params)
        params["study"]["variants"] = [UNDISTURBED, DISTURBED]
        params["variants"][DISTURBED]["training"] = {"epochs": 400, "patience": 400}

    project.edit(change)
    project.commit()
    return project


def refuse_an_edit(project: Project) -> None:
    """Edit the study while a job waits in the queue: the job is refused, nothing is certified, and DVC is kept out meanwhile."""
    node("state=drain reason=test")
    with started(project, *SUBMIT, "--retries", "0") as run:
        wait_for("the first job waits in the queue", run, lambda: jobs("PENDING"))
        said = on_another_machine(project, "dvc", "repro")
        assert "is busy" in said and "a run of Snakemake in this project" in said, said
        say("`dvc repro` on another machine is refused")
        project.edit(lambda params: params["dataset"].update(limit=151))
        node("state=resume")
        assert run.wait() != 0
    assert "dataset of params.yaml changed since this run was planned" in log(project), log(project)
    project.edit(lambda params: params["dataset"].update(limit=150))
    assert not (project.folder / "data/digits.h5").exists()
    say("a job with an edited study is refused")


def lose_the_submitter(project: Project) -> None:
    """Kill the submitting Snakemake in the middle of a training, run it again beside the job that it left, and disturb both jobs."""
    with started(project, *SUBMIT) as run:
        leave_a_training(project, run)
    with started(project, *SUBMIT) as run:
        disturb_both_jobs(project, run)
    say("the study is finished after a kill, a cancelled job and a time limit")


def leave_a_training(project: Project, run: subprocess.Popen[bytes]) -> None:
    """Kill a submitting Snakemake; a training that has a checkpoint goes on without it, but is halted until it is cancelled."""
    wait_for("the training has a checkpoint", run, lambda: list(project.folder.glob(f"checkpoints/*{DISTURBED}*/*")))
    [training] = trainings(project)
    assert b"SLURM_MEM_PER_NODE=" in Path(f"/proc/{training}/environ").read_bytes()
    say("the training knows the memory of its job")
    os.kill(training, signal.SIGSTOP)
    run.kill()
    say("the submitter is killed")


def disturb_both_jobs(project: Project, run: subprocess.Popen[bytes]) -> None:
    """Cancel the job that was left, let the time limit of its double strike, and see the study finished."""
    [orphan] = jobs("RUNNING", f"variant={DISTURBED},")
    wait_for("a second job waits for the training lock", run, lambda: "waiting for it to end" in job_logs(project))
    for process in trainings(project):
        os.kill(process, signal.SIGSTOP)
    slurm_says("scancel", orphan)
    [job] = wait_for("the job that was left is cancelled", run, lambda: alone(orphan))
    slurm_says("scontrol", "update", f"jobid={job}", "timelimit=1")
    wait_for("the time limit of the second job strikes", run, lambda: state(job) == "TIMEOUT")
    assert run.wait() == 0, log(project)
    assert state(orphan).startswith("CANCELLED")


def trainings(project: Project) -> list[int]:
    """The processes in a project that train the variant which is disturbed."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            words = (folder / "cmdline").read_bytes().split(b"\0")
            if (
                b"pipeline_steps.train" in words
                and DISTURBED.encode() in words
                and (folder / "cwd").resolve() == project.folder
            ):
                found.append(int(folder.name))
    return found


def alone(orphan: str) -> list[str]:
    """The only running job of the disturbed training, if it is not `orphan`."""
    found = jobs("RUNNING", f"variant={DISTURBED},")
    return found if len(found) == 1 and orphan not in found else []


def compare(project: Project, local: Project) -> None:
    """Both engines find nothing to do, and the files are those of a local run."""
    assert project.settled() and "up to date" in project.run("dvc", "status")
    made, expected = checksums(project), checksums(local)
    other = sorted(path for path in made.keys() | expected.keys() if made.get(path) != expected.get(path))
    assert not other, other
    say(f"both engines have nothing to do; {len(made)} files have the bytes of the local run")


def refuse_what_slurm_refuses(project: Project) -> None:
    """A partition or an account that Slurm does not know is named, and nothing is lost."""
    project.edit(lambda params: params["sampling"].update(seed=1))
    before = checksums(project)
    for resource, reason in (
        ("slurm_partition=no", "invalid partition specified: no"),
        ("slurm_account=no", "account no"),
    ):
        said = project.run(*SUBMIT, "--retries", "0", "--default-resources", resource, fails=True)
        [line] = [line for line in said.splitlines() if reason in line][:1]
        say(f"{resource}: {line.strip()}")
        assert checksums(project) == before
    project.edit(lambda params: params["sampling"].update(seed=0))
    assert project.settled()


@contextlib.contextmanager
def started(project: Project, *command: str) -> Iterator[subprocess.Popen[bytes]]:
    """A command at work in a project within the block; what it prints is in `log`. Its group is killed at the end."""
    with (project.folder / "said.log").open("ab") as output:
        process = subprocess.Popen(
            command, cwd=project.folder, env=project.environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
            start_new_session=True,
        )  # fmt: skip
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def on_another_machine(project: Project, *command: str) -> str:
    """What a command says that fails where the processes of this machine do not exist."""
    return project.run("unshare", "--pid", "--fork", "--mount-proc", *command, fails=True)


def log(project: Project) -> str:
    return (project.folder / "said.log").read_text(encoding="utf-8", errors="replace")


def job_logs(project: Project) -> str:
    return "".join(path.read_text(errors="replace") for path in project.folder.glob(".snakemake/slurm_logs/**/*.log"))


def jobs(state: str, words: str = "") -> list[str]:
    """The jobs in a state whose command has these words."""
    found = slurm_says("squeue", "--noheader", "--states", state, "--format", "%A").split()
    return [job for job in found if words in slurm_says("scontrol", "write", "batch_script", job, "-")]


def state(job: str) -> str:
    """The state of a job by the accounting."""
    return slurm_says("sacct", "--noheader", "--allocations", "--parsable2", "--jobs", job, "--format", "state").strip()


def node(change: str) -> None:
    slurm_says("scontrol", "update", "nodename=ALL", *change.split())


def slurm_says(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout


def wait_for(event: str, run: subprocess.Popen[bytes], happened: Callable[[], Any]) -> Any:
    """Wait until a function returns something that is true, while a command is at work, and return it."""
    until = time.monotonic() + LIMIT
    while not (found := happened()):
        assert run.poll() is None, f"the run has ended, but not: {event}"
        assert time.monotonic() < until, f"not within {LIMIT} seconds: {event}"
        time.sleep(0.5)
    say(event)
    return found


def say(event: str) -> None:
    print(f"{time.monotonic() - BEGAN:6.0f} s  {event}", flush=True)


if __name__ == "__main__":
    main()
