"""Measure the real test images, once for a data set and a feature space."""

from pipeline_steps.command import command, reads, store_of, timed
from vaeline import params, parts
from vaeline.devices import device_of, prepare_process
from vaeline.evaluation import reference
from vaeline.features import classifier
from vaeline.memory import budget
from vaeline.seeds import derive_seed
from vaeline.store import POINTS, read_facts, read_split


@command
@timed("data/{id}.timing.json", "reference.{features}")
@reads("evaluation.features", "evaluation.by_label", "sampling.count", "classifier.threads", "training.device")
def main() -> None:
    """Measure the real test images in the feature space of the evaluation, and what the best and worst would score."""
    study = params.load()
    prepare_process(study.classifier.threads)
    store, device = store_of(study), device_of(study.training.device)
    facts = read_facts(store)
    where = reference.paths(store, study.evaluation.features.name)
    if facts.points:
        reference.skip(POINTS, *where)
        return
    features = parts.build("features", study.evaluation.features, facts, store.parent, device)
    judge = classifier.of(facts, store.parent).to(device)
    train, test = read_split(store, "train", budget()), read_split(store, "test")
    measured = reference.measure(
        features,
        judge,
        train,
        test,
        facts,
        derive_seed("reference"),
        study.sampling.count,
        study.evaluation.by_label,
    )
    reference.write(measured, *where)


if __name__ == "__main__":
    main()
