"""What a run's codes tell of the labels, by simple classifiers that see the codes alone, and factor by factor."""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from vaeline.batches import Batches
from vaeline.metrics.mutual_information_gap import mutual_information_gap
from vaeline.metrics.probes import MOST_IMAGES, NEIGHBOURS, probe
from vaeline.model import Model
from vaeline.record import Record
from vaeline.reference import evenly_spaced, put_accuracy
from vaeline.seeds import derive_seed
from vaeline.store import Facts

PROBES = {
    "linear": "a logistic regression",
    "neighbours": f"the vote of the {NEIGHBOURS} nearest codes",
}
MOST_DIMENSIONS = 4096  # of a code; larger maps say where things are, and take minutes to fit


def judge_representation(model: Model, train: Batches, test: Batches, seed: int) -> Record:
    """Probe the codes of test images with classifiers fitted to those of training images.

    Args:
        model: in evaluation mode, on the device of the batches.
        train: training split.
        test: test split.
        seed: of the draws of z that the mutual information gap takes.
    """
    record = Record(checksums=test.facts.checksums, seed=seed)
    _put_probes(record, model, train, test, seed)
    _put_gap(record, model, test, seed)
    return record


def _put_probes(record: Record, model: Model, train: Batches, test: Batches, seed: int) -> None:
    (known, known_labels), (asked, asked_labels) = (_codes(model, split, seed) for split in (train, test))
    told = " The encoder was told the label." if model.conditional and model.variant.condition.encoder else ""  # type: ignore[union-attr]
    for kind, what in PROBES.items():
        figure = f"probe_{kind}"
        if known.shape[1] > MOST_DIMENSIONS:
            record.dash(figure, f"a code has {known.shape[1]:,} dimensions, more than {MOST_DIMENSIONS:,}")
            continue
        by_label = probe(kind, known, known_labels, asked, asked_labels, test.facts.label_names)
        definition = f"Balanced accuracy of {what} in telling the label from the code without its noise.{told}"
        put_accuracy(record, figure, by_label, definition, split="test", images=len(asked), fitted_to=len(known))


@torch.inference_mode()
def _codes(model: Model, images: Batches, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Codes without noise, float32 (images, dimensions), of at most MOST_IMAGES, and their labels."""
    codes = torch.cat(
        [
            model.posterior.centre(model.features(x, labels)).flatten(1).cpu()
            for x, labels in images.ordered(derive_seed("probe batches", seed))
        ]
    )
    chosen = evenly_spaced(len(codes), MOST_IMAGES)
    return codes.numpy()[chosen], images.labels.cpu().numpy()[chosen]


def _put_gap(record: Record, model: Model, test: Batches, seed: int) -> None:
    if why := _why_no_gap(model, test.facts):
        record.dash("mig", why)
        return
    mean, log_var = _posteriors(model, test, seed)
    generator = torch.Generator().manual_seed(derive_seed("mutual information gap", seed))
    found = mutual_information_gap(mean, log_var, test.labels, generator)
    how: dict[str, Any] = {"split": "test", "images": len(mean)}
    definition = (
        "Mean over factors of the gap between the two dimensions that tell most of it, in shares of its entropy."
    )
    by_factor = dict(zip(test.facts.label_names, found.by_factor, strict=True))
    record.put("mig", found.mig, definition, **how, by_factor=by_factor)


@torch.inference_mode()
def _posteriors(model: Model, images: Batches, seed: int) -> tuple[Tensor, Tensor]:
    """Mean and log-variance of each image's posterior, (images, latent) each."""
    found = [
        model.posterior.parameters_of(model.features(x, labels))
        for x, labels in images.ordered(derive_seed("factor batches", seed))
    ]
    mean, log_var = zip(*found, strict=True)
    return torch.cat(mean), torch.cat(log_var)


def _why_no_gap(model: Model, facts: Facts) -> str:
    """What keeps the mutual information gap from a meaning; empty where nothing does."""
    if not facts.factors:
        return "the labels are not the factors of which the images are made"
    if model.posterior.kind != "gaussian":
        return "it is of dimensions of Gaussian posteriors"
    return "a latent of one dimension has no second" if model.variant.latent < 2 else ""
