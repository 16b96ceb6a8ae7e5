"""What a run's latent space is like: its mismatch with the prior, leaks, units and codes in use, how much a flow does."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import nan
from typing import Any

import torch
from torch import Tensor

from vaeline.batches import Batches
from vaeline.contracts import Latent
from vaeline.metrics.active_units import active_units, covariances
from vaeline.metrics.codebook_perplexity import codebook_perplexity
from vaeline.metrics.leakage import leakage_curve
from vaeline.metrics.mutual_information import MutualInformation, mutual_information
from vaeline.metrics.symmetric_kl import SymmetricKL, symmetric_kl
from vaeline.model import Model
from vaeline.record import Record
from vaeline.sampling import aggregate_posterior, why_no_aggregate
from vaeline.seeds import derive_seed

SAMPLES = 5000  # each way, as in dpVAEs
MOST_LABELS = 1000  # different rows of labels over which a conditional prior is averaged
SHARE = 0.01  # of p(z)'s own draws whose density counts as low
OF_AGGREGATE = ("skl", "mutual_information", "leakage", "leaked_share")
OF_PRIOR = ("skl", "leakage", "leaked_share")
DRAWS = 10  # of z in either half, whose means over draws differ between images alike where z's own mean does


def judge_latents(model: Model, train: Batches, test: Batches, seed: int) -> Record:
    """Hold the aggregate posterior of the training split against p(z); count what is in use.

    Args:
        model: in evaluation mode, on the device of the batches.
        train: training split.
        test: test split.
        seed: of all samples.
    """
    record = Record(checksums=train.facts.checksums, seed=seed)
    if why := why_no_aggregate(model):
        for figure in OF_AGGREGATE:
            record.dash(figure, why)
    else:
        _judge_aggregate(record, model, train, seed)
    _judge_images(record, model, test, seed)
    return record


@torch.inference_mode()
def _judge_aggregate(record: Record, model: Model, train: Batches, seed: int) -> None:
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
    kind, how = model.posterior.kind, {"split": "test", "images": len(test.images)}
    latents: list[Latent] = []
    halves: tuple[list[Tensor], list[Tensor]] = ([], [])  # of a flow's z, whose mean has no closed form
    rates: list[Tensor] = []
    for x, labels in test.ordered(derive_seed("test batches", seed)):
        latents.append(model.encode(x, labels))
        if kind == "density":
            for half in halves:
                half.append(_mean_of_draws(model, x, labels))
        elif (each := _rate_each(model, latents[-1], labels)) is not None:
            rates.append(each)
    if kind == "gaussian":
        means = torch.cat([latent.mean for latent in latents if latent.mean is not None])
        definition = "Dimensions of z whose posterior mean varies by more than 0.01 (variance over images)."
        _put_active_units(record, means.cpu().double().var(0), definition, rates, how)
    elif kind == "density":
        definition = (
            "Dimensions of z whose posterior mean varies by more than 0.01 (covariance over images of two means of "
            f"{DRAWS} draws each)."
        )
        _put_active_units(record, covariances(*map(torch.cat, halves)), definition, rates, how)
    else:
        record.dash("active_units", why_no_aggregate(model))
    if kind == "codes":
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


def _put_active_units(
    record: Record, variances: Tensor, definition: str, rates: Sequence[Tensor], how: dict[str, Any]
) -> None:
    """Note how many dimensions are in use and, of each, the variance of its mean and, where there is one, its rate in nats."""
    by_dimension = {"variances": variances, **({"rates": torch.cat(list(rates)).mean(0)} if rates else {})}
    listed = {name: [round(each, 6) for each in values.tolist()] for name, values in by_dimension.items()}
    record.put("active_units", active_units(variances), definition, **how, **listed)


def _mean_of_draws(model: Model, x: Tensor, labels: Tensor) -> Tensor:
    features = model.features(x, labels)
    return torch.stack([model.posterior(features).z for _ in range(DRAWS)]).mean(0)


def _rate_each(model: Model, latent: Latent, labels: Tensor) -> Tensor | None:
    """KL(q(z_j|x) || p(z_j)) of each dimension, (b, latent), where the prior factorises."""
    prior = model.prior
    return prior.kl_each(latent, model.condition(labels)) if hasattr(prior, "kl_each") else None
