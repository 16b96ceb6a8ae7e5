"""What a run's codes tell of the labels, by simple classifiers that see the codes alone, and factor by factor."""

from typing import Any

import torch

from vaeline.data.batches import Batches
from vaeline.data.facts import Facts
from vaeline.evaluation.record import Record
from vaeline.metrics.mutual_information_gap import SAMPLES, mutual_information_gap
from vaeline.metrics.probes import MOST_IMAGES, NEIGHBOURS, probe
from vaeline.models import sampling
from vaeline.models.aggregate_posterior import posteriors
from vaeline.models.model import Model
from vaeline.system.seeds import derive_seed

PROBES = {
    "linear": "a logistic regression",
    "neighbours": f"the vote of the {NEIGHBOURS} nearest codes",
}
MOST_DIMENSIONS = 4096  # of a code; larger maps say where things are, and take minutes to fit


def judge_representation(model: Model, train: Batches, test: Batches, seed: int) -> Record:
    """Probe the codes of test images with classifiers fitted to those of training images; measure the gap of the latter.

    Args:
        model: in evaluation mode, on the device of the batches.
        train: training split.
        test: test split.
        seed: of the draws of z that the mutual information gap takes.
    """
    record = Record(checksums=test.facts.checksums, seed=seed)
    _put_probes(record, model, train.spread(MOST_IMAGES), test.spread(MOST_IMAGES), seed)
    _put_gap(record, model, train, seed)
    return record


def _put_probes(record: Record, model: Model, train: Batches, test: Batches, seed: int) -> None:
    if why := _why_no_probe(model, train, seed):
        for kind in PROBES:
            record.dash(f"probe_{kind}", why)
        return
    known, asked = (
        sampling.codes(model, split, derive_seed("probe batches", seed)).flatten(1).cpu().numpy()
        for split in (train, test)
    )
    labels = [split.labels.cpu().numpy() for split in (train, test)]
    how: dict[str, Any] = {"split": "test", "images": len(asked), "fitted_to": len(known), **_told(model)}
    for kind, what in PROBES.items():
        by_label = probe(kind, known, labels[0], asked, labels[1], test.facts.label_names)
        definition = f"Balanced accuracy of {what} in telling the label from the code without its noise."
        record.put_mean(f"probe_{kind}", by_label, definition, left_out=test.facts.missing_values(labels[1]), **how)


def _told(model: Model) -> dict[str, str]:
    """What codes are made of beside the image."""
    condition = model.variant.condition
    return {"told": "the label"} if condition and condition.encoder else {}


@torch.inference_mode()
def _why_no_probe(model: Model, train: Batches, seed: int) -> str:
    """What keeps codes from being probed, as far as a first few show it; empty where nothing does."""
    first = sampling.codes(model, train.spread(train.batch_size), seed).flatten(1)
    if not first.isfinite().all():
        return "codes are not finite"
    if first.shape[1] > MOST_DIMENSIONS:
        return f"a code has {first.shape[1]:,} dimensions, more than {MOST_DIMENSIONS:,}"
    return ""


def _put_gap(record: Record, model: Model, train: Batches, seed: int) -> None:
    if why := _why_no_gap(model, train.facts):
        record.dash("mig", why)
        return
    mean, log_var = posteriors(model, train, derive_seed("factor batches", seed))
    generator = torch.Generator().manual_seed(derive_seed("mutual information gap", seed))
    try:
        found = mutual_information_gap(mean, log_var, train.labels, generator)
    except ValueError as error:
        record.dash("mig", str(error))
        return
    definition = (
        "Mean over factors of the gap between the two dimensions that tell most of it, in shares of its entropy."
    )
    how: dict[str, Any] = {"split": "train", "images": len(mean), "samples": SAMPLES, **_told(model)}
    by_factor = dict(zip(train.facts.label_names, found.by_factor, strict=True))
    record.put("mig", found.mig, definition, **how, saturated=found.saturated, by_factor=by_factor)
    record.put("mig_standard_error", found.standard_error, "Standard error of mig over its samples.", **how)


def _why_no_gap(model: Model, facts: Facts) -> str:
    """What keeps the mutual information gap from a meaning; empty where nothing does."""
    if not facts.factors:
        return "the labels are not the factors of which the images are made"
    if model.posterior.kind != "gaussian":
        return "it is of dimensions of Gaussian posteriors"
    return "a latent of one dimension has no second" if model.variant.latent < 2 else ""
