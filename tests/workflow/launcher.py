"""Runs commands in forks of one process that has imported their libraries, since imports take longer than a stub's work.

Run as a script, this file is that process. Each fork imports the project's own code from the folder it runs in.
"""

import atexit
import gc
import importlib
import json
import os
import runpy
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

# Libraries that `snakemake`, `dvc` and the bridge import. One left out is imported by each fork, which is slow but right.
ENGINES = (
    "click", "docutils.core", "docutils.parsers.rst", "dulwich.porcelain", "dvc.cli.parser", "dvc.commands.repro",
    "dvc.data_cloud", "dvc.lock", "dvc.repo.artifacts", "dvc.repo.datasets", "dvc.repo.experiments.ls", "dvc.repo.experiments.run",
    "dvc.repo.experiments.queue.celery", "dvc.repo.graph", "dvc.repo.metrics.show", "dvc.repo.open_repo",
    "dvc.repo.params.show", "dvc.repo.plots", "dvc.repo.reproduce", "dvc.repo.stage", "dvc.repo.trie", "dvc.rwlock",
    "dvc.utils.strictyaml", "dvc_data.fs", "dvc_data.hashfile.db.local", "dvc_data.hashfile.status", "dvc_data.index.checkout",
    "dvc_render.vega", "fsspec.implementations.memory", "networkx", "numpy", "PIL.Image", "pydantic", "pygit2", "requests", "ruamel.yaml", "scmrepo.git",
    "smart_open", "snakemake.api", "snakemake.cli", "snakemake.profiles", "snakemake.report.html_reporter", "snakemake.storage",
    "yaml",
)  # fmt: skip
# Imported late by steps, or by the libraries themselves when a function is first called.
LIBRARIES = (
    "dvclive", "h5py", "jinja2", "lightning_fabric", "matplotlib.backends.backend_agg", "matplotlib.backends.backend_svg", "matplotlib.figure", "PIL.ImageFile",
    "safetensors.torch", "scipy.io", "scipy.linalg", "scipy.stats", "simplejpeg", "sklearn.datasets", "sklearn.linear_model", "sklearn.neighbors", "torch",
    "torch.utils.data", "torch.testing", "dvc.utils.serialize", "dvc.repo", "dvc.stage",
)  # fmt: skip
# The first `python` in the PATH of a launched command, so that its own `python -m` is launched too.
PYTHON = """#!{python} -IS
import os, socket, sys
sys.argv[0] = {python!r}
if sys.argv[1] != "-m":
    os.execv(sys.argv[0], sys.argv)
import json
with socket.socket(socket.AF_UNIX) as connection:
    connection.connect({address!r})
    request = json.dumps([sys.argv, os.getcwd(), dict(os.environ)]) + "\\n"
    socket.send_fds(connection, [request.encode()], [1, 2])
    sys.exit(abs(int(connection.makefile().read())))
"""


ROSTER = "LAUNCHER_ROSTER"  # the variable with the path of a file in which each launched command notes its process


class Launcher:
    """Starts the process and asks it to run commands: `snakemake`, `dvc` and `python -m`.

    A command that `run` launches cannot be killed; one whose environment names a ROSTER can, with all that it starts.

    Args:
        modules: that are imported once.
    """

    def __init__(self, modules: Sequence[str] = (*ENGINES, *LIBRARIES)) -> None:
        self.folder = tempfile.TemporaryDirectory(prefix="launcher")  # its path is short, as a socket's must be
        self.address = f"{self.folder.name}/socket"
        python = Path(self.folder.name, "bin/python")
        python.parent.mkdir()
        python.write_text(PYTHON.format(python=sys.executable, address=self.address), encoding="utf-8")
        python.chmod(0o755)
        self.server = subprocess.Popen(
            [sys.executable, __file__, self.address, str(python), *modules],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert self.server.stdout and self.server.stdout.readline() == b"ready\n"

    def run(self, command: Sequence[str], folder: Path, environment: Mapping[str, str], output: int, limit: int) -> int:
        """Run a command in a folder.

        Args:
            command: its words.
            folder: the working directory.
            environment: its variables.
            output: an open file that takes what it prints, errors too.
            limit: seconds, after which a TimeoutError is raised.

        Returns:
            The exit status.
        """
        path = f"{self.folder.name}/bin{os.pathsep}{environment['PATH']}"
        request = json.dumps([command, str(folder), {**environment, "PATH": path}]) + "\n"
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(limit)
            connection.connect(self.address)
            socket.send_fds(connection, [request.encode()], [output, output])
            return int(connection.makefile().read())

    def stop(self) -> None:
        self.server.communicate()
        self.folder.cleanup()


def serve(address: str, modules: Sequence[str]) -> None:
    """Import the modules, then run each request in a fork and answer with its exit status, until standard input is closed."""
    for module in modules:
        importlib.import_module(module)
    assert not {"vaeline", "pipeline_steps", "parts", "workflow"} & sys.modules.keys()
    gc.freeze()  # keeps the garbage collection of each fork from copying all memory
    asked: dict[int, socket.socket] = {}  # by the process that runs the request
    wake, woken = socket.socketpair()
    wake.setblocking(False)
    signal.set_wakeup_fd(wake.fileno())
    signal.signal(signal.SIGCHLD, lambda number, frame: None)
    with socket.socket(socket.AF_UNIX) as listener, selectors.DefaultSelector() as ready:
        listener.bind(address)
        listener.listen()
        for each in (listener, woken, sys.stdin):
            ready.register(each, selectors.EVENT_READ)
        print("ready", flush=True)
        while True:
            files = [key.fileobj for key, _ in ready.select()]
            if woken in files:
                woken.recv(2**16)
                answer(asked)
            if listener in files:
                connection, _ = listener.accept()
                request, outputs = received(connection)
                child = os.fork() if request else None
                if child == 0:
                    signal.set_wakeup_fd(-1)
                    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                    for each in (listener, wake, woken, connection, *asked.values()):
                        each.close()
                    return execute(*json.loads(request), outputs)
                if child:
                    asked[child] = connection
                for number in outputs:
                    os.close(number)
            if sys.stdin in files:
                return None


def received(connection: socket.socket) -> tuple[bytes, list[int]]:
    """A request, which is empty if who asked was killed before, and the files that take what its command prints."""
    sent, files, _, _ = socket.recv_fds(connection, 2**16, 2)
    while sent and not sent.endswith(b"\n"):
        more = connection.recv(2**16)
        sent = sent + more if more else b""
    return sent, files


def answer(asked: dict[int, socket.socket]) -> None:
    """Tell the exit statuses of the processes that have ended to those who asked."""
    while asked:
        child, status = os.waitpid(-1, os.WNOHANG)
        if not child:
            return
        with asked.pop(child) as connection, suppress(BrokenPipeError):  # who asked has been killed
            connection.sendall(str(os.waitstatus_to_exitcode(status)).encode())


def execute(command: list[str], folder: str, environment: dict[str, str], files: list[int]) -> None:
    """Run a command as a new process would."""
    os.setsid()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if roster := environment.get(ROSTER):
        enlist(Path(roster), command)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    for number, file in enumerate(files, 1):
        os.dup2(file, number)
    try:
        status = call(command, folder)
    except BaseException:
        traceback.print_exc()
        status = 1
    atexit._run_exitfuncs()
    sys.stdout.flush()
    os._exit(status)  # an interpreter of that many modules takes a fifth of a second to end


def enlist(roster: Path, command: Sequence[str]) -> None:
    """Note this process in a roster, and end it if the processes of the roster have been killed meanwhile."""
    with suppress(FileNotFoundError), roster.open("a") as file:
        file.write(f"{os.getpid()} {' '.join(command)}\n")
    if ended(roster).exists() or not roster.exists():
        os._exit(1)


def ended(roster: Path) -> Path:
    """The file that tells processes that start late that those of a roster have been killed."""
    return roster.with_name(f"{roster.name}.ended")


def kill(roster: Path) -> None:
    """Kill every process of a roster by SIGKILL, with its children."""
    ended(roster).touch()
    signalled(roster, signal.SIGKILL)


def signalled(roster: Path, number: signal.Signals) -> None:
    """Send a signal to every process of a roster, and to its children."""
    for process, _ in enlisted(roster):
        with suppress(ProcessLookupError):
            os.killpg(process, number)


def enlisted(roster: Path) -> list[tuple[int, str]]:
    """The processes of a roster, in the order of their starts, each with its command."""
    lines = roster.read_text().splitlines() if roster.exists() else []
    return [(int(process), command) for process, _, command in (line.partition(" ") for line in lines)]


def call(command: list[str], folder: str) -> int:
    """Call what a command would start; returns its exit status."""
    name, *rest = command
    try:
        if name in ("snakemake", "dvc"):
            sys.path[0], sys.argv = str(Path(sys.executable).parent), command
            sys.exit(importlib.import_module(f"{name}.cli").main())
        sys.path[0], sys.argv = folder, rest[1:]
        runpy.run_module(rest[1], run_name="__main__", alter_sys=True)
    except SystemExit as exit:
        if isinstance(exit.code, str):
            print(exit.code, file=sys.stderr)
        return int(isinstance(exit.code, str)) or int(exit.code or 0)
    return 0


if __name__ == "__main__":
    _, address, sys.executable, *modules = sys.argv
    serve(address, modules)
