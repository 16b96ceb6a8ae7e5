"""Measure the real test images, once for a data set and a feature space."""

from pipeline_steps.command import command, reads, store_of, timed
from vaeline.data.store import POINTS, read_facts, read_split
from vaeline.evaluation import classifier, reference, reference_numbers
from vaeline.evaluation.feature_space import Features
from vaeline.study import parts, reading
from vaeline.system.devices import device_of, prepare_process
from vaeline.system.memory import budget
from vaeline.system.seeds import derive_seed


@command
@timed("data/{id}.timing.json", "reference.{features}")
@reads("evaluation.features", "evaluation.by_label", "sampling.count", "classifier.threads", "training.device")
def main() -> None:
    """Measure the real test images in the feature space of the evaluation, and what the best and worst would score."""
    study = reading.load()
    prepare_process(study.classifier.threads)
    store, device = store_of(study), device_of(study.training.device)
    facts = read_facts(store)
    where = reference_numbers.paths(store, study.evaluation.features.name)
    if facts.points:
        reference.skip(POINTS, *where)
        return
    features = parts.build(Features, study.evaluation.features, facts, store.parent, device)
    judge = classifier.of(facts, store.parent).to(device)
    train, test = read_split(store, "train", budget()), read_split(store, "test")
    images = reference.RealImages(train, test, facts, study.sampling.count)
    measured = reference.measure(features, judge, images, derive_seed("reference"), study.evaluation.by_label)
    reference.write(measured, *where)


if __name__ == "__main__":
    main()
