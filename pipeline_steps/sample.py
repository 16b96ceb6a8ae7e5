"""Draw reconstructions and samples from one run."""

from collections.abc import Iterator

import h5py
import numpy as np
import torch

from pipeline_steps.command import reads, run_command, run_folder, store_of
from vaeline import model as models
from vaeline.batches import Batches
from vaeline.devices import device_of, fix_arithmetic
from vaeline.files import written_aside
from vaeline.params import Study
from vaeline.pictures import grid
from vaeline.sampling import reconstruct, sample
from vaeline.seeds import derive_seed
from vaeline.store import Split, created, read_split, require_images

BATCH = 256


@run_command
@reads("sampling", "training.device", "training.threads")
def main(study: Study, variant: str, seed: int) -> None:
    """Draw reconstructions of test images, and samples under the labels of test images, from one run."""
    fix_arithmetic(study.training.threads)
    folder = run_folder(study.study.name, variant, seed)
    model, facts = models.load(folder)
    require_images(store_of(study), facts)
    test = read_split(store_of(study), "test")
    chosen = _choose(len(test.images), study.sampling.count, derive_seed("test images", study.sampling.seed))
    test = Split(test.images[chosen], test.labels[chosen], [test.ids[row] for row in chosen])
    device = device_of(study.training.device)
    model.to(device)
    images = Batches(test, facts, BATCH, device)
    draws = {
        "reconstructions": reconstruct(model, images, derive_seed("reconstruction", study.sampling.seed)),
        "samples": sample(model, images.labels, facts, derive_seed("sample", study.sampling.seed, seed), BATCH),
    }
    with created(folder / "samples.h5") as file:
        for name, batches in draws.items():
            _write_images(file, name, test.images.shape, batches)
        file["labels"], file["test_index"] = test.labels, chosen
        first = {name: file[name][: study.sampling.grid] for name in draws}
    for name, drawn in first.items():
        with written_aside(folder / f"{name}.png") as aside:
            aside.write_bytes(grid(drawn, facts.levels))


def _choose(images: int, count: int | None, seed: int) -> np.ndarray:
    """Rows of the test split, ascending: all, or `count` of them at random."""
    if count is None or count >= images:
        return np.arange(images)
    return np.sort(np.random.default_rng(seed).choice(images, count, replace=False))


def _write_images(file: h5py.File, name: str, shape: tuple[int, ...], batches: Iterator[torch.Tensor]) -> None:
    images = file.create_dataset(name, shape, np.uint8)
    written = 0
    for batch in batches:
        images[written : written + len(batch)] = batch.numpy()
        written += len(batch)


if __name__ == "__main__":
    main()
