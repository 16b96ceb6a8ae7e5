"""Train the classifiers that measure condition accuracy, once for a data set."""

from pipeline_steps.command import data_timing, reads, study_command, timed
from vaeline.data.paths import DataFiles
from vaeline.data.store import read_facts_of, read_split, require_images
from vaeline.evaluation import classifier_file, classifier_training
from vaeline.models.variant_checks import check_variants
from vaeline.study.schema import Study
from vaeline.system.devices import device_of, prepare_process
from vaeline.system.memory import budget


@study_command
@timed(data_timing, "classifier")
@reads("classifier", code="classifier")
def main(study: Study) -> None:
    """Train the classifiers that measure condition accuracy; the last hidden layer of each is a feature space."""
    prepare_process(study.classifier.threads)
    files = DataFiles(study.dataset.id)
    facts = read_facts_of(study)
    check_variants(study, facts)
    if study.evaluation.features.name == "classifier":
        classifier_file.require_labels(facts)
    if why := classifier_file.why_none(facts):
        classifier_file.skip(files.classifier, why, study)
        return
    train, validation = (read_split(files.store, name, budget()) for name in ("train", "validation"))
    require_images(files.store, facts)  # it may have been replaced between the two readings
    trained = classifier_training.train(train, validation, facts, study.classifier, device_of(study.training.device))
    classifier_file.save(files.classifier, trained, study)


if __name__ == "__main__":
    main()
