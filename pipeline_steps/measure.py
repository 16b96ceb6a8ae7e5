"""Measure one run in the manner of a published value, for `make reproduce`."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, get_args

import click

from pipeline_steps.command import WholeNumber, reads, variant_command
from pipeline_steps.kept_of_run import BATCH, kept_of_run
from vaeline.data.batches import Batches
from vaeline.data.paths import DataFiles
from vaeline.data.store import read_facts_of, read_split, require_images
from vaeline.evaluation.published_value import Manner, Run, known_optimum, measured_value
from vaeline.runs import model_files
from vaeline.runs.folder import RunKey, StudyFolder
from vaeline.runs.identity import description_of
from vaeline.runs.settings_check import require_step
from vaeline.study.published_rows import Method, Metric, Split
from vaeline.study.schema import MOST_SEED, Study
from vaeline.system.devices import device_of, prepare_process, with_float64
from vaeline.system.memory import budget
from vaeline.system.sealed_files import write_sealed


def _written(study: Study, options: Mapping[str, Any]) -> Path:
    path: Path = options["out"]
    return path


@variant_command
@click.option("--seed", required=True, type=WholeNumber(0, MOST_SEED), help="One of study.seeds.")
@click.option("--metric", required=True, type=click.Choice(get_args(Metric)), help="What is measured.")
@click.option("--split", default="test", type=click.Choice(get_args(Split)), help="On which images.")
@click.option("--method", default="posterior", type=click.Choice(get_args(Method)), help="Of a likelihood.")
@click.option("--samples", default=200, type=WholeNumber(10), help="Of each image.")
@click.option("--images", type=WholeNumber(2), help="At most so many; all if it is left out.")
@click.option("--optimum", is_flag=True, help="Subtract the optimum of a linear VAE, which is known.")
@click.option("--out", required=True, type=click.Path(path_type=Path), help="The file to write.")
@reads("evaluate", code="evaluate.{variant}", vouching=_written)
def main(study: Study, /, variant: str, seed: int, optimum: bool, out: Path, **manner: object) -> None:
    """Measure one value of a run as a paper measured its own."""
    prepare_process(study.training.threads)
    require_step(study, RunKey(variant, seed), "train")
    folder, store = StudyFolder(study.study.name).run(variant, seed), DataFiles(study.dataset.id).store
    weights = description_of(folder, RunKey(variant, seed)).weights_sha256
    model, facts = model_files.load(folder)
    require_images(store, facts, read_facts_of(study))
    device = device_of(study.training.device)
    exact = with_float64(device)
    splits = {name: Batches(read_split(store, name, budget()), facts, BATCH, exact) for name in ("train", "test")}
    model.to(exact)
    how = Manner(**manner)  # type: ignore[arg-type]  # click has checked the types
    kept = kept_of_run(study, RunKey(variant, seed), weights, facts, device, manner=how.decides)
    run = Run(model, splits, study.evaluation, kept, seed)
    found = measured_value(run, how)
    of = {"variant": variant, "seed": seed, "weights_sha256": weights, "data": facts.checksums}
    known = known_optimum(run, how) if optimum else None
    apart = {} if known is None else {"known": float(known.mean()), "apart": asdict(found.minus(known))}
    write_sealed(out, {"of": of, "manner": how.decides, **asdict(found), **apart})


if __name__ == "__main__":
    main()
