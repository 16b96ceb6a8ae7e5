"""Train the classifier that judges conditions, once for a data set."""

from pipeline_steps.command import command, reads, store_of, timed
from vaeline.data.store import POINTS, read_facts, read_split
from vaeline.evaluation import classifier
from vaeline.models.variant_checks import check_variants
from vaeline.study import reading
from vaeline.system.devices import device_of, prepare_process
from vaeline.system.memory import budget


@command
@timed("data/{id}.timing.json", "classifier")
@reads("classifier", "training.device")
def main() -> None:
    """Train the classifier that judges conditions and whose last hidden layer is a feature space."""
    study = reading.load()
    prepare_process(study.classifier.threads)
    store = store_of(study)
    facts = read_facts(store)
    check_variants(study, facts)
    path = classifier.path_in(store.parent, facts.dataset_id)
    if facts.points:
        classifier.skip(path, POINTS)
        return
    train, validation = read_split(store, "train", budget()), read_split(store, "validation")
    trained = classifier.train(train, validation, facts, study.classifier, device_of(study.training.device))
    classifier.save(path, trained)


if __name__ == "__main__":
    main()
