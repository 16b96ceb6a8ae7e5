"""`python -m tests.campaign`: look for results that are wrong and pass as right."""

import os
import sys
import tempfile
import time
from pathlib import Path

import click

from tests.campaign.kind import Grounds
from tests.campaign.outcome import WRONG, Case, Tally
from tests.campaign.runner import KINDS, judged, run
from tests.campaign.warm import warm_up


@click.command()
@click.option("--minutes", default=30.0, help="After so many minutes no more cases are begun.")
@click.option("--only", default=",".join(KINDS), help="Kinds, divided by commas.")
@click.option("--seed", default=0, help="Another seed draws other cases.")
@click.option("--case", type=int, help="Replay the case of this number, of the kind that --only names.")
@click.option(
    "--log", default="campaign.jsonl", type=click.Path(path_type=Path), help="Gets a line for each wrong case."
)
def main(minutes: float, only: str, seed: int, case: int | None, log: Path) -> None:
    """Kill, damage, swap, edit and mutate, and count what comes of it. The exit code is 1 if any case went wrong."""
    if unknown := set(only.split(",")) - KINDS.keys():
        raise click.ClickException(f"There is no kind {', '.join(unknown)}; there are: {', '.join(KINDS)}.")
    kinds = [KINDS[name] for name in only.split(",")]
    warm_up()
    with tempfile.TemporaryDirectory(prefix="campaign") as folder:
        grounds = Grounds(Path(folder))
        try:
            if case is not None:
                tally = Tally()
                for result in judged(kinds[0], kinds[0].prepare(grounds), [Case(kinds[0].name, case, seed)]):
                    tally.add(*result)
                    click.echo(f"{result[1].outcome}: {result[1].what}\n{result[1].said}")
            else:
                started = time.monotonic()
                tally = run(kinds, grounds, seed, 60 * minutes, log)
                click.echo(tally.table())
                click.echo(
                    f"{time.monotonic() - started:,.0f} s; {tally.wrong} cases went wrong ({', '.join(WRONG)}): {log}."
                )
        finally:
            grounds.close()
    sys.stdout.flush()
    os._exit(bool(tally.wrong))  # an interpreter of that many libraries ends with a page about leaks


if __name__ == "__main__":
    main()
