"""Draw from one run: reconstructions, samples, low-posterior samples, traversals, interpolations."""

import h5py
import torch

from pipeline_steps.command import reads, run_command
from vaeline.data.batches import Batches
from vaeline.data.drawn_rows import drawn_rows
from vaeline.data.facts import Facts
from vaeline.data.paths import DataFiles
from vaeline.data.store import read_facts_of, read_split, require_images
from vaeline.runs import drawing, model_files, redrawing, samples_file
from vaeline.runs.folder import DRAWN, RunKey, StudyFolder
from vaeline.runs.identity import description_of
from vaeline.runs.pictures import picture
from vaeline.runs.samples_file import DrawnFrom
from vaeline.runs.settings_check import require_step
from vaeline.study.schema import Study
from vaeline.study.step_settings import settings_of
from vaeline.system.devices import device_of, prepare_process
from vaeline.system.files import write_bytes
from vaeline.system.hdf5_files import created
from vaeline.system.memory import budget
from vaeline.system.progress import watched


@run_command
@reads("sample", code="sample.{variant}")
def main(study: Study, variant: str, seed: int) -> None:
    """Draw reconstructions of test images, samples under their labels, and what the maps of the latent space show."""
    prepare_process(study.training.threads)
    folder, store = StudyFolder(study.study.name).run(variant, seed), DataFiles(study.dataset.id).store
    require_step(study, RunKey(variant, seed), "train")
    made = description_of(folder, RunKey(variant, seed))
    device = device_of(study.training.device)
    model, facts = model_files.load(folder)
    require_images(store, facts, read_facts_of(study))
    model.to(device)
    test = read_split(store, "test", budget())
    chosen = drawn_rows(len(test.images), study.sampling)
    test = test.some(chosen) if len(chosen) < len(test.images) else test
    if model.conditional:
        facts.warn_of_unseen(test.labels, "test images, whose labels the samples are asked to show,")
    images, train = (
        Batches(each, facts, redrawing.BATCH, device) for each in (test, read_split(store, "train", budget()))
    )
    require_images(store, facts)  # no new store came between the facts and the images
    with created(folder / DRAWN) as file:
        noise = study.sampling.noise == "drawn"
        for name, content in drawing.everything(model, train, images, study.sampling.seed, seed, noise):
            _write(file, name, content, facts)
        file[samples_file.LABELS], file[samples_file.TEST_INDEX] = test.labels, chosen
        shown = None if facts.points else study.sampling.grid
        pictures = {png: picture(file[name][:shown], facts, test.images) for name, png in samples_file.PICTURES.items()}
        settings = settings_of(study, "sample", variant)
        samples_file.finish(file, DrawnFrom.of_run(made, settings, pictures))
    for name, png in pictures.items():
        write_bytes(folder / name, png)


def _write(file: h5py.File, name: str, content: torch.Tensor | drawing.Decoded, facts: Facts) -> None:
    """Write a dataset of samples.h5; images are written batch by batch, as they are decoded."""
    if isinstance(content, torch.Tensor):
        file[name] = content.cpu().numpy()
        return
    images, written = file.create_dataset(name, (content.rows, *facts.image_shape), facts.dtype), 0
    for batch in watched(content.batches, name, content.rows):
        images[written : written + len(batch)] = batch.numpy()
        written += len(batch)


if __name__ == "__main__":
    main()
