"""Measure one run: likelihoods, Frechet distances, condition accuracy."""

from pathlib import Path

import torch

from pipeline_steps.command import reads, run_command
from vaeline.data.batches import Batches
from vaeline.data.facts import Facts
from vaeline.data.paths import DataFiles
from vaeline.data.store import POINTS, read_split, require_images
from vaeline.evaluation import classifier, reference
from vaeline.evaluation.images import dash_images, judge_images
from vaeline.evaluation.latents import judge_latents
from vaeline.evaluation.likelihood import judge_likelihood
from vaeline.evaluation.record import Record
from vaeline.evaluation.representation import judge_representation
from vaeline.runs import model_files, samples_file
from vaeline.runs.folder import StudyFolder
from vaeline.study import parts
from vaeline.study.schema import Evaluation, Study
from vaeline.system.devices import device_of, prepare_process
from vaeline.system.files import write_json
from vaeline.system.memory import budget

BATCH = 100


@run_command
@reads("evaluation", "training.device", "training.threads")
def main(study: Study, variant: str, seed: int) -> None:
    """Measure the likelihood of test images under one run, and what it drew against them."""
    prepare_process(study.training.threads)
    folder, store, device = (
        StudyFolder(study.study.name).run(variant, seed),
        DataFiles(study.dataset.id).store,
        device_of(study.training.device),
    )
    model, facts = model_files.load(folder)
    require_images(store, facts)
    train, test = (Batches(read_split(store, split, budget()), facts, BATCH, device) for split in ("train", "test"))
    # First what reads files: one that does not fit is better named before the long work.
    record = _images(study.evaluation, folder, store, facts, model.conditional, device)
    record.join(judge_likelihood(model.to(device), train, test, study.evaluation))
    record.join(judge_latents(model, train, test, study.evaluation.seed))
    record.join(judge_representation(model, train, test, study.evaluation.seed))
    write_json(folder / "evaluation.json", record.evaluation)
    write_json(folder / "metrics.json", record.metrics)


def _images(
    settings: Evaluation, folder: Path, store: Path, facts: Facts, conditional: bool, device: torch.device
) -> Record:
    """What a run drew, against the test images; dashes where the data are points."""
    part = settings.features
    if facts.points:
        record = Record()
        dash_images(record, parts.module("features", part.name).PREFIXES, POINTS)
        return record
    features = parts.build("features", part, facts, store.parent, device)
    files = DataFiles(facts.dataset_id, store.parent)
    known = reference.read(files.statistics(part.name), files.metrics(part.name))
    judge = classifier.of(facts, store.parent).to(device)
    return judge_images(samples_file.read(folder, facts), facts, features, known, judge, conditional, settings.by_label)


if __name__ == "__main__":
    main()
