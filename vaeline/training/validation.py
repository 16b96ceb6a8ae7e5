"""Validation: calibrate the likelihood, and measure the objective on the validation split."""

import math

import torch

from vaeline.models.calibration import calibrate
from vaeline.models.contracts import Objective
from vaeline.models.finite import count_nonfinite
from vaeline.system import ranks
from vaeline.system.seeds import derive_seed
from vaeline.training.job import Job
from vaeline.training.tally import Row, Tally, named_terms

SAMPLES_CHECKED = 1000  # of the prior, at each validation


@torch.inference_mode()
def validate(job: Job, tally: Tally) -> Row:
    """Fit sigma to the training split, then measure the objective, schedules at their end, on the validation split.

    Every validation draws the same noise, so that two epochs differ by their weights alone.

    Returns:
        `sigma`, if the likelihood has one, and `validation_...`: nats per image.

    Raises:
        UserError: a term, or a sample of the prior, is not finite.
    """
    model = job.model.eval()
    calibrate(model, job.train, job.seed)
    row = _means(job)
    if "validation_rate" in row:
        row["validation_negative_elbo"] = row["validation_distortion"] + row["validation_rate"]
    if model.likelihood.sigma is not None:
        row = {"sigma": float(model.likelihood.sigma), **row}
    if not all(map(math.isfinite, row.values())):
        raise tally.diverged("in validation", named_terms(row))
    if fault := _fault_of_samples(job):
        raise tally.diverged("in validation", fault)
    return row


def _means(job: Job) -> Row:
    """The means of the objective, its terms and what is logged, over the validation split."""
    torch.manual_seed(derive_seed("validation posterior", job.seed))
    sums: dict[str, float] = {}
    for x, labels in job.validation.ordered(derive_seed("validation batches", job.seed)):
        with ranks.dealt(len(x)) as rows:
            objective: Objective = job.model(x[rows], labels[rows])
            means = ranks.totals({"objective": objective.total, **objective.shown})
        for name, term in means.items():
            sums[name] = sums.get(name, 0.0) + float(term) * len(x)
    return {f"validation_{name}": total / len(job.validation.images) for name, total in sums.items()}


def _fault_of_samples(job: Job) -> str:
    """Say how many samples of the prior are not finite: a flow with a good log-density may have an inverse that overflows."""
    labels, model = job.validation.labels[:SAMPLES_CHECKED], job.model
    torch.manual_seed(derive_seed("validation samples", job.seed))
    z = model.prior.sample(len(labels), model.condition(labels))
    lost = count_nonfinite(z)
    return f"{lost:,} of {len(z):,} samples of prior {model.variant.prior.name} are not finite" if lost else ""
