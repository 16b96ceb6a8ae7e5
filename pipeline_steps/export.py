"""Write the encoder and the decoder of a run for other libraries, as torch.export or ONNX."""

from pathlib import Path

import click

from pipeline_steps.command import command
from vaeline.sharing import exporting
from vaeline.sharing.exported_parts import PARTS, Part


@command
@click.argument("run", type=click.Path(path_type=Path))
@click.option(
    "--format",
    "form",
    type=click.Choice([*exporting.SUFFIX]),
    default="torch",
    show_default=True,
    help="torch for torch.export.load; onnx needs the extra `export`.",
)
@click.option(
    "--part", "name", type=click.Choice(["both", *PARTS]), default="both", show_default=True, help="What to write."
)
@click.option(
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("exported"),
    show_default=True,
    help="Folder of the files.",
)
def main(run: Path, form: exporting.Format, name: str, output: Path) -> None:
    """Write the encoder and the decoder of the folder RUN as files that run without vaeline.

    Each file is compared with the model on random inputs before it is written.
    """
    names: list[Part] = [part for part in PARTS if name in ("both", part)]
    for path, difference in exporting.export(run, output, names, form):
        click.echo(
            f"{path}: differs from the model by {difference:.2g} at most, on {exporting.COMPARED} random inputs."
        )


if __name__ == "__main__":
    main()
