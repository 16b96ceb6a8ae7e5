"""What likelihood metrics are made of: the ELBO and the log-likelihood estimates of every test image.

All of this is kept (see `kept`), so this file imports no metric: an edit of a metric leaves it as it is.
"""

import copy
import time
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from vaeline.data.batches import Batches, evenly_spaced
from vaeline.evaluation.kept import Kept, Section
from vaeline.models.calibration import mean_squared_error
from vaeline.models.contracts import Likelihood
from vaeline.models.importance_sampling import LogLikelihood, concatenate
from vaeline.models.likelihood_estimation import estimate, log_frequencies, why_no_likelihood
from vaeline.models.model import Model
from vaeline.study.schema import Evaluation
from vaeline.system import random_state
from vaeline.system.progress import Bar
from vaeline.system.seeds import derive_seed

KEEP_EVERY = 20.0  # seconds between two times that unfinished estimates are kept

Estimates = dict[str, LogLikelihood]  # `nll`, `nll_given_label` -> (likelihoods, images)


@dataclass(frozen=True)
class Measured:
    """The likelihoods that are estimated by the same samples.

    Args:
        own: that of the model.
        refit: the same with sigma fitted to the training split; None if sigma is fitted already, or cannot be.
    """

    own: Likelihood
    refit: Likelihood | None = None

    @property
    def each(self) -> list[Likelihood]:
        """The likelihoods, the model's own first."""
        return [self.own] if self.refit is None else [self.own, self.refit]


def likelihoods_of(model: Model, train: Batches, seed: int, kept: Kept) -> Measured:
    """The likelihoods to estimate: the model's own, and one with sigma refitted where that has a meaning."""
    if model.likelihood.kind == "calibrated" or why_no_refit(model, train.facts.pixels):
        return Measured(model.likelihood)

    def error() -> dict[str, float]:
        torch.manual_seed(derive_seed("refit posterior", seed))
        return {"mean_squared_error": mean_squared_error(model, train, derive_seed("refit batches", seed))}

    refit = copy.deepcopy(model.likelihood)
    refit.calibrate(kept.result(kept.section("refit", [__name__], seed=seed), error)["mean_squared_error"])
    return Measured(model.likelihood, refit)


def why_no_refit(model: Model, pixels: str) -> str:
    """Why sigma cannot be refitted; empty if it can."""
    if model.likelihood.sigma is None:
        return "the likelihood has no sigma to refit"
    return "" if pixels in ("dequantized", "points") else "a density of whole levels has no best sigma"


@torch.inference_mode()
def elbo_of_images(model: Model, test: Batches, settings: Evaluation) -> Tensor:
    """Distortion and, if there is one, rate of every test image, mean over posterior samples: nats, (1 or 2, images)."""
    torch.manual_seed(derive_seed("bounds", settings.seed))
    found = []
    for x, labels in test.ordered(derive_seed("evaluation batches", settings.seed)):
        drawn = [model.elbo(x, labels) for _ in range(settings.bound_samples)]
        halves = [torch.stack([each.distortion, *([] if each.rate is None else [each.rate])]) for each in drawn]
        found.append(torch.stack(halves).mean(0).cpu())
    return torch.cat(found, 1)


@torch.inference_mode()
def estimates(
    model: Model, likelihoods: Measured, train: Batches, test: Batches, settings: Evaluation, kept: Kept
) -> Estimates:
    """Log-likelihood estimates of the chosen test images; empty if nothing can be sampled.

    Estimates of the images so far are kept with the state of the random generator, so that a killed evaluation goes on
    where it was and ends in the numbers it would have had.
    """
    if why_no_likelihood(model):
        return {}
    device = test.labels.device
    chosen = torch.zeros(len(test.images), dtype=torch.bool)
    chosen[evenly_spaced(len(test.images), settings.images)] = True
    log_prior = log_frequencies(train.labels, test.facts) if test.facts.classes else None
    settings_of = {"samples": settings.importance_samples, "seed": settings.seed, "images": settings.images}
    section = kept.section("likelihood", [__name__], **settings_of)
    parts, done = _resume(kept, section, derive_seed("importance samples", settings.seed), device)
    batches = -(-len(test.images) // test.batch_size)
    kept_at = time.monotonic()
    with Bar("likelihood", int(chosen.sum()), sum(map(_images, parts))) as bar:
        for index, (x, labels) in enumerate(_chosen(test, chosen, settings.seed) if done < batches else ()):
            if index < done or not len(x):
                continue
            parts.append(estimate(model, likelihoods.each, x, labels, settings.importance_samples, log_prior))
            bar.advance(len(x))
            if time.monotonic() - kept_at > KEEP_EVERY or index == batches - 1:
                _keep(kept, section, parts, index + 1, device)
                kept_at = time.monotonic()
    return _joined(parts)


def _joined(parts: list[Estimates]) -> Estimates:
    return {name: concatenate([each[name] for each in parts]) for name in parts[0]}


def _chosen(test: Batches, chosen: Tensor, seed: int) -> Iterator[tuple[Tensor, Tensor]]:
    """The chosen images of each batch, possibly none; every batch is dequantized whole, whichever images are chosen."""
    ordered = test.ordered(derive_seed("evaluation batches", seed))
    for (x, labels), rows in zip(ordered, chosen.split(test.batch_size), strict=True):
        yield x[rows.to(x.device)], labels[rows.to(x.device)]


def _images(part: Estimates) -> int:
    return next(iter(part.values())).log_prob.shape[-1]


def _resume(kept: Kept, section: Section, seed: int, device: torch.device) -> tuple[list[Estimates], int]:
    """The estimates so far, and how many batches they are of."""
    state = kept.load(section)
    if state is None:
        torch.manual_seed(seed)
        return [], 0
    random_state.restore(state["random"], device)
    return [{name: LogLikelihood(*fields) for name, fields in state["estimates"].items()}], state["batches"]


def _keep(kept: Kept, section: Section, parts: list[Estimates], batches: int, device: torch.device) -> None:
    so_far = {name: tuple(fields) for name, fields in _joined(parts).items()}
    kept.store(section, {"estimates": so_far, "batches": batches, "random": random_state.capture(device)})
