"""What a run's latent space is like: its mismatch with the prior, leaks, units and codes in use, how much a flow does."""

from dataclasses import dataclass
from math import nan
from typing import Any

import torch
from torch import Tensor

from vaeline.batches import Batches
from vaeline.metrics.active_units import active_units
from vaeline.metrics.codebook_perplexity import codebook_perplexity
from vaeline.metrics.leakage import leakage_curve
from vaeline.metrics.mutual_information import MutualInformation, mutual_information
from vaeline.metrics.symmetric_kl import SymmetricKL, symmetric_kl
from vaeline.model import Model
from vaeline.record import Record
from vaeline.sampling import aggregate_posterior
from vaeline.seeds import derive_seed

SAMPLES = 5000  # each way, as in dpVAEs
MOST_LABELS = 1000  # different rows of labels over which a conditional prior is averaged
SHARE = 0.01  # of p(z)'s own draws whose density counts as low
OF_GAUSSIANS = ("skl", "mutual_information", "leakage", "leaked_share", "active_units")
OF_PRIOR = ("skl", "leakage", "leaked_share")


def judge_latents(model: Model, train: Batches, test: Batches, seed: int) -> Record:
    """Hold the aggregate posterior of the training split against p(z); count what is in use.

    Args:
        model: in evaluation mode, on the device of the batches.
        train: training split.
        test: test split.
        seed: of all samples.
    """
    record = Record(checksums=train.facts.checksums, seed=seed)
    kind = model.posterior.kind
    if kind == "gaussian":
        _judge_gaussian(record, model, train, seed)
    else:
        reasons = {
            "point": "the posterior is a point",
            "density": "q(z|x) is not known at the z of other images",
            "codes": "latents are codes",
        }
        for figure in OF_GAUSSIANS:
            record.dash(figure, reasons[kind])
        if kind == "density":
            record.dash("active_units", "z of a flow has no mean in closed form")
    _judge_images(record, model, test, seed)
    return record


@torch.inference_mode()
def _judge_gaussian(record: Record, model: Model, train: Batches, seed: int) -> None:
    aggregate = aggregate_posterior(model, train, derive_seed("aggregate posterior", seed))
    drawn = aggregate.sample(SAMPLES, torch.Generator().manual_seed(derive_seed("aggregate samples", seed)))
    log_q = aggregate.log_prob(drawn.z)
    shared = mutual_information(drawn.log_q, log_q, len(train.images))
    how = {"split": "train", "images": len(train.images), "samples": SAMPLES}
    definition = "I(x;z) under q: mean of log q(z|x) - log q_agg(z), nats; at most log of the images."
    record.put(
        "mutual_information", shared.mutual_information, definition, **how,
        standard_error=shared.standard_error, log_images=shared.log_images, saturated=shared.saturated,
    )  # fmt: skip
    marginal = _marginal(model, train)
    if marginal is None:
        for figure in OF_PRIOR:
            record.dash(figure, f"more than {MOST_LABELS} combinations of labels, over which p(z) cannot be averaged")
        return
    torch.manual_seed(derive_seed("prior samples", seed))
    from_prior = marginal.sample(SAMPLES)
    log_p, log_p_of_prior = marginal.log_prob(drawn.z), marginal.log_prob(from_prior)
    if not (log_p.isfinite().all() and log_p_of_prior.isfinite().all()):
        for figure in OF_PRIOR:
            record.dash(figure, "p(z) is not finite at all of its own samples and those of q_agg")
        return
    both = symmetric_kl(log_q, log_p, aggregate.log_prob(from_prior), log_p_of_prior)
    _put_mismatch(record, both, shared, how)
    _put_leaks(record, log_q, log_p, float(log_p_of_prior.quantile(SHARE)), how)


def _put_mismatch(record: Record, both: SymmetricKL, shared: MutualInformation, how: dict[str, Any]) -> None:
    beside = {**both._asdict(), "mutual_information": shared.mutual_information, "saturated": shared.saturated}
    definition = "KL(q_agg || p) + KL(p || q_agg) in z, nats, q_agg over the split."
    record.put("skl", beside.pop("skl"), definition, **how, **beside)


def _put_leaks(record: Record, log_q: Tensor, log_p: Tensor, threshold: float, how: dict[str, Any]) -> None:
    [low] = leakage_curve(log_q, log_p, [threshold])
    curve = [each._asdict() for each in leakage_curve(log_q, log_p)]
    rare = f"log p(z) under that of {SHARE:.0%} of p's own draws"
    record.put("leaked_share", low.share, f"Share of z ~ q_agg with {rare}.", **how, threshold=threshold)
    if low.leakage is None:
        record.dash("leakage", f"no sample of q_agg has {rare}")
        record.evaluation["leakage"]["curve"] = curve
    else:
        definition = f"Mean of log q_agg(z) - log p(z), nats, over z ~ q_agg with {rare}."
        record.put("leakage", low.leakage, definition, **how, threshold=threshold, curve=curve)


@dataclass(frozen=True)
class _Marginal:
    """p(z), for a conditional prior its mean over the labels of the training split; results on the CPU, float64."""

    density: Any  # a vaeline.contracts.Prior
    conditions: Tensor | None  # one for each different row of labels
    shares: Tensor  # of the training images that have it, float64

    def sample(self, count: int) -> Tensor:
        if self.conditions is None:
            return self.density.sample(count, None).cpu()
        rows = torch.multinomial(self.shares, count, replacement=True)
        return self.density.sample(count, self.conditions[rows.to(self.conditions.device)]).cpu()

    def log_prob(self, z: Tensor) -> Tensor:
        z = z.to(self.device)
        if self.conditions is None:
            return self.density.log_prob(z, None).cpu().double()
        given = [self.density.log_prob(z, each.expand(len(z), -1)).cpu().double() for each in self.conditions]
        return (torch.stack(given, 1) + self.shares.log()).logsumexp(1)

    @property
    def device(self) -> torch.device:
        return next(iter([*self.density.parameters(), *self.density.buffers()])).device


def _marginal(model: Model, train: Batches) -> _Marginal | None:
    """None where labels come in too many combinations to average over."""
    if not model.latent_density.conditional:
        return _Marginal(model.latent_density, None, torch.ones(1))
    rows, counts = train.labels.unique(dim=0, return_counts=True)
    if len(rows) > MOST_LABELS:
        return None
    return _Marginal(model.latent_density, model.condition(rows), counts.cpu().double() / len(train.labels))


@torch.inference_mode()
def _judge_images(record: Record, model: Model, test: Batches, seed: int) -> None:
    torch.manual_seed(derive_seed("test posterior", seed))
    latents = [model.encode(x, labels) for x, labels in test.ordered(derive_seed("test batches", seed))]
    how = {"split": "test", "images": len(test.images)}
    if model.posterior.kind == "gaussian":
        means = torch.cat([latent.mean for latent in latents if latent.mean is not None])
        definition = "Dimensions of z whose posterior mean varies by more than 0.01 (variance over images)."
        record.put("active_units", active_units(means), definition, **how)
    if model.posterior.kind == "codes":
        codes = torch.cat([latent.codes for latent in latents if latent.codes is not None])
        definition = "Exponential of the entropy of the codes in use: how many are used as if equally often."
        record.put("codebook_perplexity", codebook_perplexity(codes, model.posterior.codes), definition, **how)
    else:
        record.dash("codebook_perplexity", "there is no codebook")
    log_dets = [latent.log_det for latent in latents if latent.log_det is not None]
    if log_dets:
        definition = (
            "Standard deviation over images of the posterior flow's log-determinant, nats; 0 for an inert flow."
        )
        record.put(
            "log_det_deviation", float(torch.cat(log_dets).std()) if len(test.images) > 1 else nan, definition, **how
        )
    else:
        record.dash("log_det_deviation", "the posterior has no flow")
