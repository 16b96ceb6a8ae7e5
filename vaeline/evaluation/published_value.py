"""One value of a run, measured as a paper measured its own."""

import warnings
from dataclasses import asdict, dataclass
from math import sqrt

import torch
from torch import Tensor

from vaeline.data.batches import Batches
from vaeline.evaluation import raw_likelihood
from vaeline.evaluation.draws import seed_of_images, seed_of_run
from vaeline.evaluation.kept import Kept
from vaeline.evaluation.likelihood import measure_likelihood
from vaeline.evaluation.linear_optimum import LinearOptimum, linear_optimum
from vaeline.evaluation.record import Record
from vaeline.evaluation.representation import measure_representation
from vaeline.metrics._parts import part_means
from vaeline.metrics.nll import Unconverged
from vaeline.models.model import Model
from vaeline.study.schema import Evaluation, LikelihoodEstimate
from vaeline.system.errors import UserError

SATURATED = "saturated: posteriors hardly overlap, so that each dimension seems to tell something of every factor"


@dataclass(frozen=True)
class Manner:
    """How a value is measured. The gap `mig` has one manner: all training images, and a number of samples of its own.

    Args:
        metric: `nll`, `negative_elbo`, `rate` or `mig`.
        split: that is measured, `train` or `test`.
        method: of the likelihood.
        samples: of each image.
        images: at most so many of the split; None for all.
    """

    metric: str
    split: str = "test"
    method: str = "posterior"
    samples: int = 200
    images: int | None = None

    @property
    def decides(self) -> dict[str, object]:
        """What decides the value, as JSON."""
        return {"metric": self.metric} if self.metric == "mig" else asdict(self)


@dataclass(frozen=True)
class Value:
    """What came out: nats per image, or a share."""

    value: float
    standard_error: float | None  # over images
    parts: list[float]  # means over parts of the images
    images: int
    upper_bound: str = ""  # why the value is one; empty if it is an estimate, or a bound by its definition
    saturated: str = ""  # why the value says nothing of the system; empty if it does

    def minus(self, known: Tensor) -> "Value":
        """The difference from what is known of each image, (images,)."""
        parts = [a - b for a, b in zip(self.parts, part_means(known.numpy()), strict=True)]
        return Value(self.value - float(known.mean()), None, parts, self.images, self.upper_bound, self.saturated)


def measured_value(
    model: Model, splits: dict[str, Batches], settings: Evaluation, manner: Manner, kept: Kept, run_seed: int
) -> Value:
    """Measure a run.

    Args:
        model: in evaluation mode, on the device of the batches.
        splits: `train` and `test`.
        settings: the study's, for all that `manner` leaves open.
        manner: of the value.
        kept: results of earlier measurements in the same manner.
        run_seed: of the run.

    Raises:
        UserError: the value has no meaning for the system.
    """
    asked = splits[manner.split]
    if manner.metric == "mig":
        return _of_record(measure_representation(model, splits["train"], asked, settings.seed, kept, run_seed), "mig")
    if manner.metric == "nll":
        budget = settings.likelihood.budget
        estimate = LikelihoodEstimate.model_validate(
            {"method": manner.method, "samples": manner.samples, "budget": budget}
        )
        changed = {"likelihood": estimate, "images": manner.images, "bound_samples": 1}
        with warnings.catch_warnings():
            warnings.simplefilter(
                "ignore", Unconverged
            )  # published values are bounds too, and the row says which of ours is one
            record = measure_likelihood(
                model, splits["train"], asked, settings.model_copy(update=changed), kept, run_seed
            )
        return _of_record(record, "nll")
    some = asked if manner.images is None else asked.spread(manner.images)
    changed = {"bound_samples": manner.samples}
    halves = raw_likelihood.elbo_of_images(
        model, some, settings.model_copy(update=changed), seed_of_run(settings.seed, run_seed)
    ).double()
    if len(halves) < 2:
        raise UserError(f"The system has no {manner.metric}, since its latents have no density.")
    values = halves[1] if manner.metric == "rate" else halves.sum(0)
    return Value(float(values.mean()), float(values.std()) / sqrt(len(values)), part_means(values.numpy()), len(values))


def _of_record(record: Record, metric: str) -> Value:
    found = record.evaluation[metric]
    if "dash" in found:
        raise UserError(f"The system has no {metric}: {found['dash']}.")
    error = record.metrics.get(f"{metric}_standard_error")
    parts, saturated = found.get("parts", []), SATURATED if found.get("saturated") else ""
    return Value(found["value"], error, parts, found["images"], found.get("upper_bound", ""), saturated)


def known_optimum(model: Model, splits: dict[str, Batches], manner: Manner, seed: int) -> Tensor:
    """What the value of each image is at the optimum of a linear VAE, (images,).

    Args:
        model: whose latent dimensions count; its weights are not used.
        splits: of points.
        manner: of the value.
        seed: of the evaluation.

    Raises:
        UserError: the data are images, whose likelihood is not linear.
    """
    if not splits["train"].facts.points:
        raise UserError("The optimum is known in closed form for points alone; give the row a value.")
    points = {name: _points(split, seed) for name, split in splits.items()}
    best = linear_optimum(points["train"], model.latent_size)
    return _at(best, points[manner.split], manner.metric)


def _points(split: Batches, seed: int) -> Tensor:
    return torch.cat([x for x, _ in split.ordered(seed_of_images(seed))]).flatten(1).double().cpu()


def _at(best: LinearOptimum, x: Tensor, metric: str) -> Tensor:
    """The bound equals the likelihood: p(z|x) is a Gaussian that the encoder can have."""
    return best.rate(x) if metric == "rate" else -best.log_prob(x)
