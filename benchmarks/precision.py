"""What bf16 changes in what a study finds: the same study, trained in 32 bits and in bf16, compared seed by seed."""

import json
from pathlib import Path

import click

from benchmarks.race import MEASURED
from vaeline.report import comparison

FOUND = MEASURED / "precision.json"
MEASURES = ("negative_elbo", "nll", "fd_sample")


@click.command()
@click.argument("plain", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("bf16", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--name", required=True, help="What the page calls the study.")
def main(plain: Path, bf16: Path, name: str) -> None:
    """Keep what the comparison.json of a study trained in 32 bits and of the same trained in bf16 have found."""
    one, other = (comparison.read(path) for path in (plain, bf16))
    if (one.variants, one.seeds) != (other.variants, other.seeds):
        raise click.UsageError(f"{plain} and {bf16} are of other variants or seeds; give the same study twice.")
    found = json.loads(FOUND.read_text()) if FOUND.exists() else {}
    found[name] = {
        measure: {
            variant: {
                key: each.metrics[measure].summaries[variant].values for key, each in (("32", one), ("bf16", other))
            }
            for variant in one.variants
        }
        for measure in MEASURES
    }
    FOUND.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
