"""Measure one run: likelihoods, Frechet distances, condition accuracy."""

from pipeline_steps.command import reads, run_command, run_folder, store_of
from vaeline import drawn, parts
from vaeline import model as models
from vaeline.batches import Batches
from vaeline.devices import device_of, fix_arithmetic, keep_memory
from vaeline.evaluation import reference
from vaeline.evaluation.images import dash_images, judge_images
from vaeline.evaluation.latents import judge_latents
from vaeline.evaluation.likelihood import judge_likelihood
from vaeline.evaluation.representation import judge_representation
from vaeline.features import classifier
from vaeline.files import write_json
from vaeline.params import Study
from vaeline.store import POINTS, read_split, require_images

BATCH = 100


@run_command
@reads("evaluation", "training.device", "training.threads")
def main(study: Study, variant: str, seed: int) -> None:
    """Measure the likelihood of test images under one run, and what it drew against them."""
    fix_arithmetic(study.training.threads)
    keep_memory()
    folder, store, device = (
        run_folder(study.study.name, variant, seed),
        store_of(study),
        device_of(study.training.device),
    )
    model, facts = models.load(folder)
    require_images(store, facts)
    train, test = (Batches(read_split(store, split), facts, BATCH, device) for split in ("train", "test"))
    record = judge_likelihood(model.to(device), train, test, study.evaluation)
    record.join(judge_latents(model, train, test, study.evaluation.seed))
    record.join(judge_representation(model, train, test, study.evaluation.seed))
    if facts.points:
        dash_images(record, parts.module("features", study.evaluation.features.name).PREFIXES, POINTS)
    else:
        features = parts.build("features", study.evaluation.features, facts, store.parent, device)
        known = reference.read(*reference.paths(store, study.evaluation.features.name))
        judge = classifier.of(facts, store.parent).to(device)
        by_label = study.evaluation.by_label
        record.join(judge_images(drawn.read(folder, facts), facts, features, known, judge, model.conditional, by_label))
    write_json(folder / "evaluation.json", record.evaluation)
    write_json(folder / "metrics.json", record.metrics)


if __name__ == "__main__":
    main()
