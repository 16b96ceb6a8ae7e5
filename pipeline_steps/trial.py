"""Train one variant for one trial of its tuning. The test split is not read."""

import time

import click
import torch

from pipeline_steps.code_hashes import hashes
from pipeline_steps.command import WholeNumber, reads, variant_command
from vaeline.data import paths
from vaeline.data.facts import Facts
from vaeline.data.store import read_facts_of
from vaeline.models.variant_checks import check_variants
from vaeline.runs.folder import TIMING, StudyFolder
from vaeline.runs.timing import note_time
from vaeline.runs.tuning import Trial, write_trial
from vaeline.study import parts
from vaeline.study.design import point
from vaeline.study.recipe import recipe_of_trial
from vaeline.study.schema import MOST_TRIALS, Study
from vaeline.system.devices import check_processes, device_of, prepare_process, warn_if_slow
from vaeline.system.errors import Diverged, UserError
from vaeline.system.locks import locked
from vaeline.system.seeds import derive_seed
from vaeline.training.job import prepare
from vaeline.training.loop import best_row
from vaeline.training.stages import pretrain_and_train, stages_of
from vaeline.training.trial_checks import check_trials


@variant_command
@click.option("--trial", required=True, type=WholeNumber(0, MOST_TRIALS - 1), help="One of tuning.trials.")
@reads("trial", code="trial.{variant}")
def main(study: Study, variant: str, trial: int) -> None:
    """Train one variant with the values of one trial; a trial with a checkpoint continues from there."""
    if trial not in study.tuning.trials:
        there = ", ".join(map(str, study.tuning.trials)) or "no trial"
        raise UserError(f"--trial is {trial}; tuning.trials in params.yaml contains: {there}.")
    prepare_process(study.training.threads)
    parts.require("features", study.evaluation.features, paths.DATA)
    device, facts = device_of(study.training.device), read_facts_of(study)
    check_processes(study.training.processes, device, study.training.threads)
    warn_if_slow(study.training.precision, device)
    check_variants(study, facts)
    check_trials(study, variant, facts)
    found, seconds = _run(study, variant, trial, facts, device)
    write_trial(study, variant, facts, found)
    score = "no score" if found.score is None else f"{study.tuning.metric} {found.score:.6g}"
    click.echo(f"Trial {trial} of {variant}: {score} {found.failed}".rstrip())
    note_time(StudyFolder(study.study.name).trial(variant, trial) / TIMING, "trial", seconds)


def _run(study: Study, variant: str, number: int, facts: Facts, device: torch.device) -> tuple[Trial, float]:
    """Train, and take the score of the weights that a training keeps; returns the seconds that it took too."""
    started = time.monotonic()
    tried = point(study.tuning.space, study.tuning.seed, number)
    recipe = recipe_of_trial(study, variant, tried)
    seed = derive_seed("trial", study.tuning.seed, number)
    code = hashes(study)["trial"][variant]
    stages = stages_of(f"{study.study.name}-{variant}-trial-{number}", recipe, facts, code, seed, device)
    with locked(stages.training.folder, f"running trial {number} of {variant}"):
        job = prepare(recipe, facts, paths.DataFiles(study.dataset.id).store, seed, device)
        try:
            _, rows = pretrain_and_train(job, stages, lambda row: None)
        except Diverged as error:
            return Trial(trial=number, point=tried, score=None, failed=f"{error.what}."), time.monotonic() - started
    score = best_row(rows, job.model)[study.tuning.metric]
    return Trial(trial=number, point=tried, score=score, epochs=len(rows)), stages.seconds


if __name__ == "__main__":
    main()
