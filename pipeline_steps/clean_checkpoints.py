"""Delete the checkpoints of all trainings."""

import click

from pipeline_steps.command import command
from pipeline_steps.engines import refuse_beside_engines
from vaeline.training.checkpoints import clean


@command
def main() -> None:
    """Delete the checkpoints of all trainings. A training whose results are deleted too then starts from its first epoch."""
    refuse_beside_engines()
    click.echo(f"Freed {clean() / 2**20:.0f} MiB.")


if __name__ == "__main__":
    main()
