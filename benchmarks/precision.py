"""How bf16 changes the results of a study: the same study trained in fp32 and in bf16, compared seed by seed.

`python -m benchmarks.precision FP32 BF16 --name NAME` reads the comparison.json of both studies and writes
benchmarks/measured/precision.json.
"""

import json
from pathlib import Path

import click

from benchmarks.race import MEASURED
from vaeline.report import comparison

RESULTS = MEASURED / "precision.json"
METRICS = ("negative_elbo", "nll", "fd_sample")


@click.command()
@click.argument("fp32", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("bf16", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--name", required=True, help="Name of the study on the page.")
def main(fp32: Path, bf16: Path, name: str) -> None:
    """Keep the metrics of a study trained in fp32 and in bf16, from the comparison.json of each."""
    studies = {"32": comparison.read(fp32), "bf16": comparison.read(bf16)}
    if len({(tuple(each.variants), tuple(each.seeds)) for each in studies.values()}) > 1:
        raise click.UsageError(f"{fp32} and {bf16} have different variants or seeds; give the same study twice.")
    results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    results[name] = {
        metric: {
            variant: {key: each.metrics[metric].summaries[variant].values for key, each in studies.items()}
            for variant in studies["32"].variants
        }
        for metric in METRICS
    }
    RESULTS.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
