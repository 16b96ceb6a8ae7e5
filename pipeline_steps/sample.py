"""Draw reconstructions, samples, low-posterior samples and traversals from one run."""

from collections.abc import Iterable

import h5py
import numpy as np
import torch

from pipeline_steps.command import reads, run_command, run_folder, store_of
from vaeline import drawn, sampling
from vaeline import model as models
from vaeline.aggregate import aggregate_posterior, why_no_aggregate
from vaeline.batches import Batches
from vaeline.devices import device_of, fix_arithmetic, keep_memory
from vaeline.figures import picture
from vaeline.files import written_aside
from vaeline.params import Study
from vaeline.seeds import derive_seed
from vaeline.store import Facts, Split, created, read_split, require_images

BATCH = 256
MOST_CODES = 2000  # in samples.h5, for maps of the latent space


@run_command
@reads("sampling", "training.device", "training.threads")
def main(study: Study, variant: str, seed: int) -> None:
    """Draw reconstructions of test images, samples under the labels of test images, and what maps of the latent space show."""
    fix_arithmetic(study.training.threads)
    keep_memory()
    folder, store, device = (
        run_folder(study.study.name, variant, seed),
        store_of(study),
        device_of(study.training.device),
    )
    model, facts = models.load(folder)
    require_images(store, facts)
    model.to(device)
    test = read_split(store, "test")
    chosen = _choose(len(test.images), study.sampling.count, derive_seed("test images", study.sampling.seed))
    test = Split(test.images[chosen], test.labels[chosen], [test.ids[row] for row in chosen])
    images, train = Batches(test, facts, BATCH, device), Batches(read_split(store, "train"), facts, BATCH, device)
    draws = {
        "reconstructions": sampling.reconstruct(model, images, derive_seed("reconstruction", study.sampling.seed)),
        "samples": sampling.sample(
            model, images.labels, facts, derive_seed("sample", study.sampling.seed, seed), BATCH
        ),
    }
    with created(folder / "samples.h5") as file:
        for name, batches in draws.items():
            _write(file, name, (len(test.images), *facts.image_shape), facts, batches)
        file["labels"], file["test_index"] = test.labels, chosen
        file.attrs.update(seed=study.sampling.seed, **drawn.provenance(folder, facts))
        _write_latents(file, model, facts, images, train, derive_seed("latents", study.sampling.seed, seed))
        shown = None if facts.points else study.sampling.grid
        first = {name: file[name][:shown] for name in draws}
    for name, images_shown in first.items():
        with written_aside(folder / f"{name}.png") as aside:
            aside.write_bytes(picture(images_shown, facts, test.images))


def _choose(images: int, count: int | None, seed: int) -> np.ndarray:
    """Rows of the test split, ascending: all, or `count` of them at random."""
    if count is None or count >= images:
        return np.arange(images)
    return np.sort(np.random.default_rng(seed).choice(images, count, replace=False))


def _write(file: h5py.File, name: str, shape: tuple[int, ...], facts: Facts, batches: Iterable[torch.Tensor]) -> None:
    """Write what is decoded batch by batch."""
    images = file.create_dataset(name, shape, facts.dtype)
    written = 0
    for batch in batches:
        images[written : written + len(batch)] = batch.numpy()
        written += len(batch)


def _write_latents(
    file: h5py.File, model: models.Model, facts: Facts, images: Batches, train: Batches, seed: int
) -> None:
    """Write codes of test images, draws of p(z), low-posterior samples and traversals, as far as the model has them."""
    if model.posterior.kind == "codes":
        return
    codes, labels = sampling.codes(model, images, seed), images.labels
    file["codes"] = codes[:MOST_CODES].cpu().numpy()
    torch.manual_seed(derive_seed("prior", seed))
    file["prior"] = sampling.draw(model, labels[:MOST_CODES]).cpu().numpy()
    if not facts.points:
        path = sampling.traversals(codes)
        under = labels[:1].expand(path.shape[0] * path.shape[1], -1)
        shape = (*path.shape[:2], *facts.image_shape)
        decoded = torch.cat(list(sampling.decode(model, path.flatten(0, 1), under, facts, BATCH)))
        file["traversals"] = decoded.numpy().reshape(shape)
    if not why_no_aggregate(model):
        aggregate = aggregate_posterior(model, train, derive_seed("aggregate", seed))
        if picked := sampling.low_posterior(model, aggregate, labels, derive_seed("low posterior", seed), BATCH):
            low, asked = picked
            file["low_posterior_codes"], file["low_posterior_labels"] = low.cpu().numpy(), asked.cpu().numpy()
            decoded_low = sampling.decode(model, low, asked, facts, BATCH)
            _write(file, "low_posterior", (len(low), *facts.image_shape), facts, decoded_low)
        posterior = aggregate.sample(MOST_CODES, torch.Generator().manual_seed(derive_seed("posterior", seed)))
        file["posterior"] = posterior.z.numpy()
        if not model.latent_density.conditional:
            with torch.inference_mode():
                file["posterior_log_p"] = (
                    model.latent_density.log_prob(posterior.z.to(labels.device), None).cpu().numpy()
                )


if __name__ == "__main__":
    main()
