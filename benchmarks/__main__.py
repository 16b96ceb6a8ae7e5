"""Race what is asked for, print the table, and write what was found and docs/performance.md.

Races of earlier calls stay in the page until they are run again; each says when it was run, and on what.
"""

import json
import sys
from dataclasses import asdict
from datetime import date
from typing import Any

import click

from benchmarks import page
from benchmarks.race import MEASURED, machine, race
from benchmarks.rows import ROWS, Row

FOUND = MEASURED / "races.json"


@click.command()
@click.argument("names", nargs=-1, type=click.Choice([row.name for row in ROWS]))
@click.option("--turns", default=5, show_default=True, help="Turns of each side that count.")
@click.option("--keep", is_flag=True, help="Write benchmarks/measured/races.json and docs/performance.md.")
def main(names: tuple[str, ...], turns: int, keep: bool) -> None:
    """Race NAMES, or all rows; fails where a ratio is under its gate."""
    found: dict[str, Any] = json.loads(FOUND.read_text()) if FOUND.exists() else {}
    chosen = [row for row in ROWS if not names or row.name in names]
    for row in chosen:
        found[row.name] = _raced(row, turns)
        print(page.line(row, found[row.name]), flush=True)
        if keep:
            FOUND.write_text(json.dumps(found, indent=1) + "\n")
    if keep:
        page.write(ROWS, found, MEASURED)
    slow = [row.name for row in chosen if found[row.name]["ratio"] < row.gate]
    if slow:
        sys.exit(f"under their gates: {', '.join(slow)}")


def _raced(row: Row, turns: int) -> dict[str, Any]:
    raced = race(row.baseline, row.ours, row.threads, turns)
    return asdict(raced) | {
        "ratio": raced.ratio,
        "spread": raced.spread,
        "threads": row.threads,
        "date": date.today().isoformat(),
        "machine": machine(),
    }


if __name__ == "__main__":
    main()
