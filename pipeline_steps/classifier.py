"""Train the classifier that judges conditions, once for a data set."""

from pipeline_steps.command import command, reads, store_of, timed
from vaeline import params
from vaeline.devices import device_of, prepare_process
from vaeline.features import classifier
from vaeline.memory import budget
from vaeline.model import require_sense
from vaeline.store import POINTS, read_facts, read_split


@command
@timed("data/{id}.timing.json", "classifier")
@reads("classifier", "training.device")
def main() -> None:
    """Train the classifier that judges conditions and whose last hidden layer is a feature space."""
    study = params.load()
    prepare_process(study.classifier.threads)
    store = store_of(study)
    facts = read_facts(store)
    require_sense(study, facts)
    path = classifier.path_in(store.parent, facts.dataset_id)
    if facts.points:
        classifier.skip(path, POINTS)
        return
    train, validation = read_split(store, "train", budget()), read_split(store, "validation")
    trained = classifier.train(train, validation, facts, study.classifier, device_of(study.training.device))
    classifier.save(path, trained)


if __name__ == "__main__":
    main()
