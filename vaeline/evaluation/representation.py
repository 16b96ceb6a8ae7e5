"""What the latents of a run tell of the labels: probes, clusters, and the mutual information gap."""

import torch

from vaeline.data.batches import Batches
from vaeline.data.facts import Facts
from vaeline.evaluation.draws import seed_of_images, seed_of_run
from vaeline.evaluation.kept import Kept
from vaeline.evaluation.record import UNLABELLED, Record
from vaeline.metrics.clustering import clustering
from vaeline.metrics.mutual_information_gap import SAMPLES, mutual_information_gap
from vaeline.metrics.probes import MOST_IMAGES, probe
from vaeline.models import sampling
from vaeline.models.aggregate_posterior import posteriors
from vaeline.models.model import Model
from vaeline.system.seeds import derive_seed

PROBES = ("linear", "neighbours")
MOST_DIMENSIONS = 4096  # of a code; larger maps say where things are, and take minutes to fit


def measure_representation(
    model: Model, train: Batches, test: Batches, seed: int, kept: Kept | None = None, run_seed: int = 0
) -> Record:
    """Probe the codes of test images with classifiers fitted to those of training images, cluster them, and measure the gap of the latter.

    Args:
        model: in evaluation mode, on the device of the batches.
        train: training split.
        test: test split.
        seed: of the evaluation.
        kept: results of earlier evaluations of the run.
        run_seed: of the run, for the draws that are its own.
    """
    kept = (kept or Kept()).called_by(__name__)
    noise, own = seed_of_images(seed), seed_of_run(seed, run_seed)

    def measure() -> dict[str, object]:
        record = Record(checksums=test.facts.checksums, seed=seed)
        _put_probes(record, model, train.spread(MOST_IMAGES), test.spread(MOST_IMAGES), noise, own)
        _put_gap(record, model, train, own)
        return {"evaluation": record.evaluation}

    section = kept.section("representation", [__name__], seed=own, dequantized=noise)
    return Record(kept.result(section, measure)["evaluation"])


def _put_probes(record: Record, model: Model, train: Batches, test: Batches, noise: int, seed: int) -> None:
    if why := _why_no_probe(model, train, seed):
        record.dash_each((*(f"probe_{kind}" for kind in PROBES), "clustering"), why)
        return
    known, asked = (
        sampling.posterior_centres(model, split, of_split).flatten(1).cpu().numpy()
        for split, of_split in ((train, derive_seed("probe batches", seed)), (test, noise))
    )
    labels = train.facts.learnable(train.labels.cpu().numpy()), test.facts.judged(test.labels.cpu().numpy())
    how: dict[str, object] = {"split": "test", "images": len(asked), "fitted_to": len(known), **_given(model)}
    for kind in PROBES:
        by_label = probe(kind, known, labels[0], asked, labels[1], test.facts.label_names)
        record.put_mean(f"probe_{kind}", by_label, test.facts.missing_values(labels[1]), **how)
    by_label = clustering(asked, labels[1], test.facts.label_names, derive_seed("clusters", seed))
    how = {"split": "test", "images": len(asked), **_given(model)}
    record.put_mean("clustering", by_label, test.facts.missing_values(labels[1]), **how)


def _given(model: Model) -> dict[str, str]:
    """What the encoder sees in addition to the image; codes made of labels rank nothing by what they tell of labels."""
    condition = model.variant.condition
    told = {"told": "the label", "descriptive": "the encoder is told the label"}
    return told if condition and condition.encoder else {}


@torch.inference_mode()
def _why_no_probe(model: Model, train: Batches, seed: int) -> str:
    """Why the latents cannot be probed, according to the first batch; empty if they can."""
    if not train.facts.label_names:
        return UNLABELLED
    first = sampling.posterior_centres(model, train.spread(train.batch_size), seed).flatten(1)
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
    how: dict[str, object] = {"split": "train", "images": len(mean), "samples": SAMPLES, **_given(model)}
    by_factor = dict(zip(train.facts.label_names, found.by_factor, strict=True))
    record.put("mig", found.mig, **how, saturated=found.saturated, by_factor=by_factor)
    record.put("mig_standard_error", found.standard_error, **how)


def _why_no_gap(model: Model, facts: Facts) -> str:
    """Why the mutual information gap has no meaning; empty if it has one."""
    if not facts.label_names:
        return UNLABELLED
    if not facts.factors:
        return "the labels are not the factors of which the images are made"
    if model.posterior.kind != "gaussian":
        return "it is a metric of the dimensions of Gaussian posteriors"
    return "the latent has only one dimension" if model.latent_size < 2 else ""
