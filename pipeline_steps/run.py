"""Run what is missing or stale of the active study, and print its results."""

import importlib.util
import os
import re
import sys

import click

from pipeline_steps.command import command
from vaeline.system.errors import UserError, shown
from vaeline.system.extras import lacking


@command
@click.argument("words", nargs=-1, type=click.UNPROCESSED, metavar="[TARGET]... [OPTION OF SNAKEMAKE]...")
@click.option(
    "--cores", help="How many jobs, or threads of them, run at once; all cores of this machine if it is left out."
)
@click.option("--verbose", is_flag=True, help="Print all that Snakemake prints.")
@click.option("--quiet", is_flag=True, help="Print only warnings, errors and the results.")
def main(words: tuple[str, ...], cores: str | None, verbose: bool, quiet: bool) -> None:
    """Run what is missing or stale of the active study, several jobs at once, and print its results.

    Every option of Snakemake may be given too, such as `-n`, `--keep-going` or `--until train`. A terminal shows a line for each running
    job. Elsewhere there is a line for each job that ends.
    """
    for library in ("snakemake", "dvc", "rich"):
        if importlib.util.find_spec(library) is None:
            error = lacking(ModuleNotFoundError(name=library), "vaeline run")
            raise error or ModuleNotFoundError(name=library)
    if cores and not re.fullmatch("0*[1-9][0-9]*|all", cores):  # of 0 cores, no job would ever start
        raise UserError(f"--cores is {shown(cores)}; give a whole number of 1 or more, or `all`.")
    level = ["--verbose"] if verbose else ["--quiet"] if quiet else []
    sys.stdout.flush()
    # The process becomes Snakemake, so that signals reach it as if it had been started by hand.
    # Without --cores the profile decides: all of this machine, or no limit on a cluster.
    limit = ["--cores", cores] if cores else []
    os.execv(sys.executable, [sys.executable, "-m", "workflow.run", *level, *words, *limit])


main.context_settings["ignore_unknown_options"] = True

if __name__ == "__main__":
    main()
