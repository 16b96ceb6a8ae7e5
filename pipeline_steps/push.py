"""Send a run to the Hugging Face hub, or write it to a folder, with a model card."""

import re
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from pipeline_steps.command import command
from vaeline.sharing import hub, shared_folder
from vaeline.system.errors import UserError, shown


@command
@click.argument("run", type=click.Path(path_type=Path))
@click.argument("destination")
@click.option(
    "--license",
    "licence",
    default="",
    help="Licence of the model, for the card: an identifier of the hub, such as mit.",
)
@click.option("--private", is_flag=True, help="Show a new repository to its owner alone.")
def main(run: Path, destination: str, licence: str, private: bool) -> None:
    """Send the folder RUN to the Hugging Face hub, with a model card.

    DESTINATION is a repository, such as anna/digits, or a folder, such as ./digits, for those without a hub.
    """
    if licence and not re.fullmatch("[a-z0-9][a-z0-9.-]*", licence):
        raise UserError(
            f"--license is {shown(licence)}; give an identifier of the hub in small letters, such as mit or cc-by-4.0."
        )
    folder = hub.local_folder(destination)
    if folder is not None:
        _write(run, folder, destination, licence)
        return
    with TemporaryDirectory() as prepared:
        shared_folder.write(run, Path(prepared), destination, licence)
        address = hub.send(Path(prepared), destination, f"Push {run.parent.name} {run.name}", private)
    click.echo(f'{run} is at {address}; load it by `vaeline.from_pretrained("{destination}")`.')


def _write(run: Path, folder: Path, destination: str, licence: str) -> None:
    if folder.exists():
        shared_folder.require_ours([path.name for path in folder.iterdir()], str(folder))
        if folder.resolve() == run.resolve():
            raise UserError(f"{folder} is the run itself; name another folder.")
    shared_folder.write(run, folder, f"./{folder.resolve().name}", licence)  # the card names no path of this machine
    click.echo(f'{run} is in {folder}; load it by `vaeline.from_pretrained("{destination}")`.')


if __name__ == "__main__":
    main()
