"""One value of a run, measured as a paper measured its own."""

import warnings
from collections.abc import Callable
from dataclasses import asdict, dataclass

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
from vaeline.metrics.elbo import mean_over_images
from vaeline.metrics.nll import Unconverged
from vaeline.models.model import Model
from vaeline.study.published_rows import Method, Metric, Split
from vaeline.study.schema import Evaluation, LikelihoodEstimate
from vaeline.system.errors import UserError

SATURATED = "saturated: posteriors hardly overlap, so that each dimension seems to tell something of every factor"


@dataclass(frozen=True)
class Manner:
    """How a value is measured. The gap `mig` has one manner: all training images, and a number of samples of its own.

    Args:
        metric: what the value is.
        split: that is measured.
        method: of the likelihood.
        samples: of each image.
        images: at most so many of the split; None for all.
    """

    metric: Metric
    split: Split = "test"
    method: Method = "posterior"
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
    standard_error: float | None  # over images; of the gap `mig`, over its samples
    parts: list[float]  # means over parts of the images
    images: int
    upper_bound: str = ""  # why the value is one; empty if it is an estimate, or a bound by its definition
    saturated: str = ""  # why the value says nothing of the system; empty if it does

    def minus(self, known: Tensor) -> "Value":
        """The difference from what is known of each image, (images,).

        Raises:
            UserError: it is known of other images than those that were measured.
        """
        if len(known) != self.images:
            raise UserError(
                f"The value is of {self.images:,} images and what is known of {len(known):,}, so that they cannot be compared; measure the same images."
            )
        parts = [a - b for a, b in zip(self.parts, part_means(known.numpy()), strict=True)]
        return Value(self.value - float(known.mean()), None, parts, self.images, self.upper_bound, self.saturated)


@dataclass(frozen=True)
class Run:
    """A run that is measured.

    Args:
        model: in evaluation mode, on the device of the batches.
        splits: `train` and `test`.
        settings: the study's, for all that a manner leaves open.
        kept: results of earlier measurements in the same manner.
        seed: of the run.
    """

    model: Model
    splits: dict[str, Batches]
    settings: Evaluation
    kept: Kept
    seed: int

    def changed(self, **settings: object) -> Evaluation:
        """The settings with other values."""
        return self.settings.model_copy(update=settings)


def measured_value(run: Run, manner: Manner) -> Value:
    """Measure a run.

    Raises:
        UserError: the value has no meaning for the system.
    """
    return MEASURES[manner.metric](run, manner)


def _gap(run: Run, manner: Manner) -> Value:
    train, asked = run.splits["train"], run.splits[manner.split]
    return _of_record(measure_representation(run.model, train, asked, run.settings.seed, run.kept, run.seed), "mig")


def _nll(run: Run, manner: Manner) -> Value:
    estimate = LikelihoodEstimate.model_validate(
        {"method": manner.method, "samples": manner.samples, "budget": run.settings.likelihood.budget}
    )
    settings = run.changed(likelihood=estimate, images=manner.images, bound_samples=1)
    with warnings.catch_warnings():
        # Published values are bounds too, and the row says which of ours is one.
        warnings.simplefilter("ignore", Unconverged)
        train, asked = run.splits["train"], run.splits[manner.split]
        return _of_record(measure_likelihood(run.model, train, asked, settings, run.kept, run.seed), "nll")


def _negative_elbo(run: Run, manner: Manner) -> Value:
    return _mean(_halves(run, manner).sum(0))


def _rate(run: Run, manner: Manner) -> Value:
    return _mean(_halves(run, manner)[1])


MEASURES: dict[Metric, Callable[[Run, Manner], Value]] = {
    "nll": _nll,
    "negative_elbo": _negative_elbo,
    "rate": _rate,
    "mig": _gap,
}


def _halves(run: Run, manner: Manner) -> Tensor:
    """Distortion and rate of each image, float64, (2, images)."""
    some = _asked(run, manner)
    seed = seed_of_run(run.settings.seed, run.seed)
    halves = raw_likelihood.elbo_of_images(run.model, some, run.changed(bound_samples=manner.samples), seed).double()
    if len(halves) < 2:
        raise UserError(f"The system has no {manner.metric}, since its latents have no density.")
    return halves


def _asked(run: Run, manner: Manner) -> Batches:
    """The images that are measured."""
    split = run.splits[manner.split]
    return split if manner.images is None else split.spread(manner.images)


def _mean(values: Tensor) -> Value:
    return Value(*mean_over_images(values), part_means(values.numpy()), len(values))


def _of_record(record: Record, metric: str) -> Value:
    found = record.evaluation[metric]
    if "dash" in found:
        raise UserError(f"The system has no {metric}: {found['dash']}.")
    error = record.metrics.get(f"{metric}_standard_error")
    parts, saturated = found.get("parts", []), SATURATED if found.get("saturated") else ""
    return Value(found["value"], error, parts, found["images"], found.get("upper_bound", ""), saturated)


# At the optimum the bound equals the likelihood: p(z|x) is a Gaussian that the encoder can have.
OPTIMA: dict[Metric, Callable[[LinearOptimum, Tensor], Tensor]] = {
    "nll": lambda best, x: -best.log_prob(x),
    "negative_elbo": lambda best, x: -best.log_prob(x),
    "rate": lambda best, x: best.rate(x),
}


def known_optimum(run: Run, manner: Manner) -> Tensor:
    """What the value of each image is at the optimum of a linear VAE with as many latent dimensions as the run's, (images,).

    Raises:
        UserError: the data are images, whose likelihood is not linear, there are as many latent dimensions as those of a point, or no
            theorem gives the value.
    """
    if manner.metric not in OPTIMA:
        raise UserError(f"No theorem gives the optimum of {manner.metric}; it is known of {', '.join(OPTIMA)}.")
    if not run.splits["train"].facts.points:
        raise UserError("The optimum is known in closed form for points alone; give the row a value.")
    points, latent = _points(run.splits["train"], run.settings.seed), run.model.latent_size
    if latent >= points.shape[1]:
        raise UserError(
            f"The optimum is known in closed form for fewer latent dimensions than those of the points, which are {points.shape[1]}, and there "
            f"are {latent}; give the row a value."
        )
    best = linear_optimum(points, latent)
    return OPTIMA[manner.metric](best, _points(_asked(run, manner), run.settings.seed))


def _points(split: Batches, seed: int) -> Tensor:
    return torch.cat([x for x, _ in split.ordered(seed_of_images(seed))]).flatten(1).double().cpu()
