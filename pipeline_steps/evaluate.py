"""Measure one run: likelihoods, distances of images, latent space, conditions."""

from pipeline_steps.command import reads, run_command
from pipeline_steps.kept_of_run import BATCH, kept_of_run
from vaeline.data.batches import Batches
from vaeline.data.facts import Facts
from vaeline.data.on_demand import Images
from vaeline.data.paths import DATA, DataFiles
from vaeline.data.store import POINTS, read_facts_of, read_split, require_images
from vaeline.evaluation import classifier_file, reference_file
from vaeline.evaluation.feature_space import Features
from vaeline.evaluation.images import Judges, dash_images, measure_images
from vaeline.evaluation.kept import Kept
from vaeline.evaluation.latents import measure_latents
from vaeline.evaluation.likelihood import measure_likelihood
from vaeline.evaluation.pockets import describe_without_pockets
from vaeline.evaluation.record import Record
from vaeline.evaluation.representation import measure_representation
from vaeline.models.model import Model
from vaeline.runs import model_files, redrawing
from vaeline.runs.evaluation_file import MeasuredOn, measured_with, write_evaluation
from vaeline.runs.folder import DRAWN, METRICS, RunKey, StudyFolder
from vaeline.runs.identity import description_of, samples_of
from vaeline.runs.samples_file import DrawnImages
from vaeline.runs.settings_check import require_step
from vaeline.study import parts
from vaeline.study.schema import Study
from vaeline.study.step_settings import settings_of
from vaeline.system.devices import device_of, prepare_process, with_float64
from vaeline.system.errors import UserError
from vaeline.system.files import sha256, write_json
from vaeline.system.memory import budget


@run_command
@reads("evaluate", code="evaluate.{variant}")
def main(study: Study, variant: str, seed: int) -> None:
    """Measure the likelihood of test images under one run, and compare what it drew with them."""
    prepare_process(study.training.threads)
    folder, store = StudyFolder(study.study.name).run(variant, seed), DataFiles(study.dataset.id).store
    for step in ("train", "sample"):
        require_step(study, RunKey(variant, seed), step)
    of = _measured(study, variant, seed)
    device = device_of(study.training.device)
    model, facts = model_files.load(folder)
    require_images(store, facts, read_facts_of(study))
    kept = kept_of_run(study, RunKey(variant, seed), of.weights_sha256, facts, device)
    exact = with_float64(device)
    splits = [read_split(store, split, budget()) for split in ("train", "test")]
    train, test = (Batches(split, facts, BATCH, exact) for split in splits)
    # Images come first, since they read files: a file that does not fit is named before the long work.
    model.to(device)
    drawn = samples_of(folder, description_of(folder, RunKey(variant, seed)))
    of_images = kept.and_of(samples=of.samples_sha256, features=study.evaluation.features.model_dump(mode="json"))
    of_images = of_images.computed_by(*parts.modules_of(study.evaluation))
    drawn = redrawing.with_low_posterior(drawn, model, facts, seed)
    record = _images(study, drawn, splits[1].images, model, facts, of_images)
    model.to(exact)
    record.join(measure_likelihood(model, train, test, study.evaluation, kept, run_seed=seed))
    record.join(measure_latents(model, train, test, study.evaluation.seed, kept, run_seed=seed))
    record.join(measure_representation(model, train, test, study.evaluation.seed, kept, run_seed=seed))
    describe_without_pockets(record)
    require_images(store, facts)
    if _measured(study, variant, seed) != of:
        raise UserError(f"Files that {variant} seed {seed} is measured with changed while this step ran; run again.")
    write_evaluation(folder, of, settings_of(study, "evaluate", variant), record.evaluation)
    write_json(folder / METRICS, record.metrics)


def _measured(study: Study, variant: str, seed: int) -> MeasuredOn:
    """What is measured, and the files that it is measured with."""
    run, files = RunKey(variant, seed), DataFiles(study.dataset.id)
    folder, space = StudyFolder(study.study.name).run(*run), study.evaluation.features.name
    made = description_of(folder, run)
    judges = measured_with(files, space)
    needed = {name: path for name, path in judges.items() if path.exists() and not made.facts.points}
    return MeasuredOn(
        variant=variant,
        seed=seed,
        weights_sha256=made.weights_sha256,
        samples_sha256=sha256(folder / DRAWN),
        data=made.facts.checksums,
        **{f"{name}_sha256": sha256(path) for name, path in needed.items()},
    )


def _images(study: Study, drawn: DrawnImages, test: Images, model: Model, facts: Facts, kept: Kept) -> Record:
    """Compare what a run drew with the test images; metrics of images are dashes if the data are points."""
    settings = study.evaluation
    if facts.points:
        record = Record()
        dash_images(record, Features.prefix, POINTS, settings.by_label)
        return record
    device = next(model.parameters()).device
    features = parts.build(Features, settings.features, facts, DATA, device)
    files, space = DataFiles(facts.dataset_id), settings.features.name
    known = reference_file.read(files.statistics(space), files.metrics(space), test, facts, study)
    classifiers = {seed: each.to(device) for seed, each in classifier_file.of_study(facts, DATA, study).items()}
    judges = Judges(features, known, classifiers, facts, settings.by_label)
    return measure_images(drawn, judges, model.conditional, kept)


if __name__ == "__main__":
    main()
