"""Train one variant from one seed."""

import csv
import io
import shutil
from pathlib import Path

from dvclive import Live
from scmrepo.exceptions import SCMError

from pipeline_steps.code_hashes import hashes
from pipeline_steps.command import reads, run_command
from vaeline.data import paths
from vaeline.data.facts import Facts
from vaeline.data.store import read_facts_of
from vaeline.models.model import Model
from vaeline.models.variant_checks import check_variants
from vaeline.runs import model_files
from vaeline.runs.folder import CURVES, RunKey, StudyFolder
from vaeline.runs.tuning import read_choice
from vaeline.study import parts
from vaeline.study.recipe import recipe_of
from vaeline.study.schema import Study
from vaeline.system.devices import check_processes, device_of, prepare_process, warn_if_slow
from vaeline.system.errors import UserError
from vaeline.system.files import sha256, write_text
from vaeline.system.locks import locked
from vaeline.training.density_fit import fit_density
from vaeline.training.job import prepare
from vaeline.training.stages import pretrain_and_train, stages_of
from vaeline.training.tally import Row

COLUMNS = [
    "epoch", "objective", "distortion", "rate", "sigma",
    "validation_objective", "validation_distortion", "validation_rate", "validation_negative_elbo",
]  # fmt: skip


@run_command
@reads("train", code="train.{variant}")
def main(study: Study, variant: str, seed: int) -> float:
    """Train one variant from one seed; a training with a checkpoint continues from there."""
    prepare_process(study.training.threads)
    parts.require("features", study.evaluation.features, paths.DATA)
    device, run, facts = device_of(study.training.device), RunKey(variant, seed), read_facts_of(study)
    check_processes(study.training.processes, device, study.training.threads)
    warn_if_slow(study.training.precision, device)
    tuned = read_choice(study, variant, facts).point
    recipe = recipe_of(study, variant, tuned)
    check_variants(study, facts)
    code = hashes(study)["train"][variant]
    stages = stages_of(f"{study.study.name}-{run}", recipe, facts, code, seed, device)
    with locked(stages.training.folder, f"training {variant} from seed {seed}"), _curves(study, variant, seed) as live:
        job = prepare(recipe, facts, paths.DataFiles(study.dataset.id).store, seed, device)
        pretraining, rows = pretrain_and_train(job, stages, lambda row: _log(live, row))
        density = None if job.model.density is None else fit_density(job.model, job.train, seed, stages.density)
        losses = {"pretraining_losses": pretraining or None, "density_losses": density}
        provenance = {
            "study": study.study.name, "name": variant, "seed": seed, "epochs": len(rows),
            "training": job.settings.model_dump(mode="json"), "tuned": tuned,
            **{name: each for name, each in losses.items() if each is not None},
        }  # fmt: skip
        _write(StudyFolder(study.study.name).run(variant, seed), job.model, facts, rows, provenance)
    return stages.seconds


def _write(folder: Path, model: Model, facts: Facts, rows: list[Row], provenance: dict[str, object]) -> None:
    """Write the files of the run; variant.yaml comes last, because it vouches for the others."""
    write_text(folder / CURVES, _as_csv(rows))
    checksum = {"training_csv_sha256": sha256(folder / CURVES)}
    model_files.save(folder, model.cpu(), facts, provenance | checksum)


def _curves(study: Study, variant: str, seed: int) -> Live:
    """Curves to watch while the training runs, written again from the first epoch. The declared output is training.csv."""
    folder = StudyFolder(study.study.name).live(variant, seed)
    shutil.rmtree(folder, ignore_errors=True)
    try:
        return Live(str(folder), save_dvc_exp=False, dvcyaml=None, report=None, monitor_system=False)
    except SCMError as error:
        raise UserError(
            f"The git repository cannot be read ({error}); DVC needs a commit, so commit once and run again."
        ) from error


def _log(live: Live, row: Row) -> None:
    for name, value in row.items():
        if name != "epoch":
            live.log_metric(name, value)
    live.next_step()


def _as_csv(rows: list[Row]) -> str:
    """Rows as CSV: first the columns that every training has, then the terms of this training's regularizer."""
    others = sorted({name for row in rows for name in row} - set(COLUMNS))
    text = io.StringIO()
    writer = csv.DictWriter(text, [*COLUMNS, *others], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


if __name__ == "__main__":
    main()
