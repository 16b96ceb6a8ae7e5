"""Open the explorer, an interactive page of trained models."""

import socket
from pathlib import Path

import click

from pipeline_steps.command import WholeNumber, command
from vaeline.explorer.runs import Runs, find, find_named, given
from vaeline.explorer.serving import HOST, serve
from vaeline.explorer.views import Explorer
from vaeline.report.explorer_link import PORT
from vaeline.study.reading import load
from vaeline.system.devices import prepare_process
from vaeline.system.errors import UserError

THREADS = 1  # a second thread does not make a redraw faster, and slows it on a loaded machine


@command
@click.argument("run", nargs=-1, type=click.Path(path_type=Path))
@click.option(
    "--data",
    type=click.Path(path_type=Path),
    help="Folder of the stores, for a RUN outside its project.",
)
@click.option("--study", help="A folder in results; the active study if it is left out.")
@click.option("--port", default=PORT, show_default=True, type=WholeNumber(0, 65535), help="0 takes any free port.")
@click.option("--open/--no-open", "show", default=True, show_default=True, help="Open the page in a browser.")
def main(run: tuple[Path, ...], data: Path | None, study: str | None, port: int, show: bool) -> None:
    """Draw from trained models, side by side, on a page that only this machine can open.

    Each RUN is the folder of a run, such as results/digits/runs/cvae/seed-0, which may lie anywhere. Without one, the page shows all runs of
    the active study. A RUN without the store of its images can draw, and no more.

    On another machine, for example the node of a cluster, add --no-open. Then run `ssh -N -L 8765:localhost:8765 that-machine` on yours, and
    open http://localhost:8765 there.
    """
    runs = given(run, data) if run else _runs_of_study(study)
    port = _free(port)
    prepare_process(THREADS)
    explorer = Explorer(runs)
    click.echo(f"Exploring {runs.study} at http://{HOST}:{port} (Ctrl-C ends it).")
    serve(explorer, port, show)


def _runs_of_study(study: str | None) -> Runs:
    active = load()
    return find(active) if study in (None, active.study.name) else find_named(study)


def _free(port: int) -> int:
    with socket.socket() as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((HOST, port))
        except OSError as error:
            raise UserError(f"Port {port} is in use or not permitted; choose another by --port.") from error
        return int(trial.getsockname()[1])


if __name__ == "__main__":
    main()
