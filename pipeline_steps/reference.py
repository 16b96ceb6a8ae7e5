"""Measure the real test images, once for a data set and a feature space."""

from pipeline_steps.command import data_timing, reads, study_command, timed
from pipeline_steps.plan_check import WEIGHTS, planned
from vaeline.data.drawn_rows import drawn_rows
from vaeline.data.paths import DataFiles
from vaeline.data.store import POINTS, read_facts_of, read_split, require_images
from vaeline.evaluation import classifier_file, reference_file
from vaeline.evaluation.feature_space import Features
from vaeline.evaluation.reference_measurement import SplitsToMeasure, measure
from vaeline.study import parts
from vaeline.study.schema import Study
from vaeline.system.devices import device_of, prepare_process
from vaeline.system.errors import UserError
from vaeline.system.memory import budget
from vaeline.system.seeds import derive_seed


@study_command
@timed(data_timing, "reference")
@reads("reference", code="reference.{features}")
def main(study: Study) -> None:
    """Measure the real test images in the feature space of the evaluation, and what the best and worst would score."""
    prepare_process(study.classifier.threads)
    files, device = DataFiles(study.dataset.id), device_of(study.training.device)
    store, space = files.store, study.evaluation.features.name
    facts = read_facts_of(study)
    where = files.statistics(space), files.metrics(space)
    if facts.points:
        reference_file.skip(POINTS, *where, study)
        return
    features = parts.build(Features, study.evaluation.features, facts, store.parent, device)
    if planned(WEIGHTS) not in (None, "", features.weights_sha256):
        raise UserError("The weights of the feature space changed since this run was planned; start the run again.")
    judges = {seed: each.to(device) for seed, each in classifier_file.of_study(facts, store.parent, study).items()}
    train, validation, test = (read_split(store, name, budget()) for name in ("train", "validation", "test"))
    require_images(files.store, facts)  # it may have been replaced between the two readings
    asked = drawn_rows(len(test.images), study.sampling)
    images = SplitsToMeasure(train, test, facts, asked, validation)
    measured = measure(features, judges, images, derive_seed("reference"), study.evaluation.by_label)
    reference_file.write(measured, *where, study)


if __name__ == "__main__":
    main()
