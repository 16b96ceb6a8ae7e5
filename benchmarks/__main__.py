"""Run races and print their table; with `--keep`, write the results to benchmarks/measured and docs/performance.md.

There is a file for each kind of processor (`benchmarks/processors.py`). It keeps the result of each earlier race until that race runs
again there. Each result names its date and machine.
"""

import json
import sys
from datetime import date

import click

from benchmarks import page, processors
from benchmarks.race import MEASURED, RaceResult, race
from benchmarks.rows import ROWS, Row
from vaeline.system.hardware import hardware


@click.command()
@click.argument("names", nargs=-1, type=click.Choice([row.name for row in ROWS]))
@click.option("--turns", default=5, show_default=True, help="Timed turns of each side.")
@click.option("--keep", is_flag=True, help="Write the results to benchmarks/measured and docs/performance.md.")
def main(names: tuple[str, ...], turns: int, keep: bool) -> None:
    """Run the races NAMES, or all of them. Fail if a ratio is under its gate."""
    kind = processors.kind()
    path = MEASURED / f"{kind}.json"
    results: dict[str, RaceResult] = json.loads(path.read_text()) if path.exists() else {}
    chosen = [row for row in ROWS if not names or row.name in names]
    for row in chosen:
        results[row.name] = _run(row, turns)
        print(page.summarize(row, results[row.name], kind), flush=True)
        if keep:
            path.write_text(json.dumps(results, indent=1) + "\n")
    if keep:
        page.write(ROWS, MEASURED)
    slow = [row.name for row in chosen if results[row.name]["ratio"] < row.gate_on(kind)]
    if slow:
        sys.exit(f"under their gates on {processors.in_words(kind)}: {', '.join(slow)}")


def _run(row: Row, turns: int) -> RaceResult:
    result = race(row.baseline, row.ours, row.threads, turns)
    return RaceResult(
        baseline=result.baseline,
        ours=result.ours,
        baseline_peak=result.baseline_peak,
        ours_peak=result.ours_peak,
        ratio=result.ratio,
        spread=result.spread,
        threads=row.threads,
        date=date.today().isoformat(),
        machine=hardware(),
    )


if __name__ == "__main__":
    main()
