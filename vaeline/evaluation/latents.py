"""What a run's latent space is like: its mismatch with the prior, leaks, units and codes in use, how much a flow does."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import ceil, sqrt
from typing import Any

import torch
from torch import Tensor

from vaeline.data.batches import Batches
from vaeline.evaluation.record import Record
from vaeline.metrics.active_units import active_units, covariances
from vaeline.metrics.codebook_perplexity import codebook_perplexity
from vaeline.metrics.leakage import leak, leakage_curve
from vaeline.metrics.mutual_information import MutualInformation, mutual_information
from vaeline.metrics.symmetric_kl import SymmetricKL, symmetric_kl
from vaeline.models.aggregate_posterior import aggregate_posterior, why_no_aggregate
from vaeline.models.contracts import Prior
from vaeline.models.latent import DiscreteLatent, FlowLatent, GaussianLatent, Latent
from vaeline.models.model import Model
from vaeline.system.seeds import derive_seed

SAMPLES = 5000  # each way, as in dpVAEs
MOST_LABELS = 1000  # different rows of labels over which a conditional prior is averaged
SHARE = 0.01  # of p(z)'s own draws whose density counts as low
OF_AGGREGATE = ("skl", "mutual_information", "leakage", "leaked_share")
OF_PRIOR = ("skl", "leakage", "leaked_share")
LOST_INVERSE = "the flow's inverse is lost to rounding"
LEAST_DRAWS = 10  # of a flow's z, whose means over draws differ between images alike where z's own mean does
NOISE = 0.001  # of the covariance of two such means, a tenth of what makes a unit active


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
        record.dash_each(OF_AGGREGATE, why)
    else:
        _judge_aggregate(record, model, train, seed)
    _judge_images(record, model, test, seed)
    return record


@torch.inference_mode()
def _judge_aggregate(record: Record, model: Model, train: Batches, seed: int) -> None:
    aggregate = aggregate_posterior(model, train, derive_seed("aggregate posterior", seed))
    drawn = aggregate.sample(SAMPLES, torch.Generator().manual_seed(derive_seed("aggregate samples", seed)))
    log_q = aggregate.log_prob(drawn.z)
    if not log_q.isfinite().all():
        record.dash_each(OF_AGGREGATE, LOST_INVERSE)
        return
    shared = mutual_information(drawn.log_q, log_q, len(train.images))
    how = {"split": "train", "images": len(train.images), "samples": SAMPLES}
    definition = "I(x;z) under q: mean of log q(z|x) - log q_agg(z), nats; at most log of the images."
    record.put(
        "mutual_information", shared.mutual_information, definition, **how,
        log_images=shared.log_images, saturated=shared.saturated,
    )  # fmt: skip
    definition = "Standard error of mutual_information over its samples."
    record.put("mutual_information_standard_error", shared.standard_error, definition, **how)
    if why := _why_no_marginal(model, train):
        record.dash_each(OF_PRIOR, why)
        return
    marginal = _marginal(model, train)
    torch.manual_seed(derive_seed("prior samples", seed))
    from_prior = marginal.sample(SAMPLES)
    log_p, log_p_of_prior = marginal.log_prob(drawn.z), marginal.log_prob(from_prior)
    log_q_of_prior = aggregate.log_prob(from_prior)
    if not all(each.isfinite().all() for each in (log_p, log_p_of_prior, log_q_of_prior)):
        record.dash_each(
            OF_PRIOR, f"p(z) is not finite at all of its own samples and those of q_agg, or {LOST_INVERSE}"
        )
        return
    _put_mismatch(record, symmetric_kl(log_q, log_p, log_q_of_prior, log_p_of_prior), shared, how)
    how["saturated"] = shared.saturated
    _put_leaks(record, log_q, log_p, log_p_of_prior, how)


def _put_mismatch(record: Record, both: SymmetricKL, shared: MutualInformation, how: dict[str, Any]) -> None:
    halves = {"aggregate_to_prior": both.aggregate_to_prior, "prior_to_aggregate": both.prior_to_aggregate}
    beside = {**halves, "mutual_information": shared.mutual_information, "saturated": shared.saturated}
    definition = (
        "KL(q_agg || p) + KL(p || q_agg) in z, nats, q_agg over the split, and p the mean over its labels of p(z|y) where the prior is "
        "conditional."
    )
    record.put("skl", both.skl, definition, **how, **beside)
    record.put("skl_standard_error", both.standard_error, "Standard error of skl over its samples.", **how)


def _put_leaks(record: Record, log_q: Tensor, log_p: Tensor, log_p_of_prior: Tensor, how: dict[str, Any]) -> None:
    low = leak(log_q, log_p, log_p_of_prior, SHARE)
    curve = [each._asdict() for each in leakage_curve(log_q, log_p)]
    rare = f"log p(z) under that of {SHARE:.0%} of p's own draws"
    error = "over the samples of q_agg, and over those of p that set what is low."
    record.put("leaked_share", low.share, f"Share of z ~ q_agg with {rare}.", **how, threshold=low.threshold)
    record.put("leaked_share_standard_error", low.share_error, f"Standard error of leaked_share {error}", **how)
    if low.leakage is None:
        record.dash("leakage", f"no sample of q_agg has {rare}")
        record.evaluation["leakage"]["curve"] = curve
    else:
        definition = f"Mean of log q_agg(z) - log p(z), nats, over z ~ q_agg with {rare}."
        record.put("leakage", low.leakage, definition, **how, threshold=low.threshold, curve=curve)
    if low.leakage_error is None:
        record.dash("leakage_standard_error", f"fewer than two samples of q_agg have {rare}")
    else:
        record.put("leakage_standard_error", low.leakage_error, f"Standard error of leakage {error}", **how)


@dataclass(frozen=True)
class _Marginal:
    """p(z), for a conditional prior its mean over the labels of the training split; results on the CPU, float64."""

    density: Prior
    conditions: Tensor | None  # one for each different row of labels
    shares: Tensor  # of the training images that have it, float64
    device: torch.device  # of the model

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


def _why_no_marginal(model: Model, train: Batches) -> str:
    """What keeps p(z) from being held against the aggregate posterior; empty where nothing does."""
    if model.latent_density.samples_skip_flow:
        return "samples of p(z) skip its flow, and so are of another density than log p(z)"
    if model.latent_density.conditional and len(train.labels.unique(dim=0)) > MOST_LABELS:
        return f"more than {MOST_LABELS} combinations of labels, over which p(z) cannot be averaged"
    return ""


def _marginal(model: Model, train: Batches) -> _Marginal:
    if not model.latent_density.conditional:
        return _Marginal(model.latent_density, None, torch.ones(1), train.labels.device)
    rows, counts = train.labels.unique(dim=0, return_counts=True)
    shares = counts.cpu().double() / len(train.labels)
    return _Marginal(model.latent_density, model.condition(rows), shares, train.labels.device)


@torch.inference_mode()
def _judge_images(record: Record, model: Model, test: Batches, seed: int) -> None:
    noise = derive_seed("test batches", seed)
    torch.manual_seed(derive_seed("test posterior", seed))
    latents = [model.encode(x, labels) for x, labels in test.ordered(noise)]
    how = {"split": "test", "images": len(test.images)}
    if why := _why_no_units(model, test):
        record.dash("active_units", why)
    elif model.posterior.kind == "gaussian":
        _put_units_of_means(record, model, latents, test.labels.split(test.batch_size), how)
    else:
        _put_units_of_draws(record, model, test.ordered(noise), how)
    _put_perplexity(record, model, latents, how)
    _put_log_det(record, latents, how)


def _why_no_units(model: Model, test: Batches) -> str:
    if model.posterior.kind not in ("gaussian", "flow"):
        return why_no_aggregate(model)
    return "" if len(test.images) > 1 else "one image has no variance"


def _put_units_of_means(
    record: Record,
    model: Model,
    latents: Sequence[Latent],
    labels: Sequence[Tensor],
    how: dict[str, Any],
) -> None:
    means = torch.cat([latent.mean for latent in latents if isinstance(latent, GaussianLatent)])
    definition = "Dimensions of z whose posterior mean varies by more than 0.01."
    each = [_rate_each(model, latent, of_latent) for latent, of_latent in zip(latents, labels, strict=True)]
    rates = [rate for rate in each if rate is not None]
    by_dimension = {"rates": torch.cat(rates).mean(0)} if rates else {}
    estimator = "variance of posterior means over images"
    _put_units(record, means.cpu().double().var(0), definition, {**how, "estimator": estimator}, by_dimension)


def _put_units_of_draws(
    record: Record, model: Model, batches: Iterable[tuple[Tensor, Tensor]], how: dict[str, Any]
) -> None:
    draws = max(LEAST_DRAWS, ceil(1 / (NOISE * sqrt(how["images"]))))
    halves: tuple[list[Tensor], list[Tensor]] = ([], [])
    for x, labels in batches:
        features = model.features(x, labels)
        for half in halves:
            half.append(torch.stack([model.posterior(features).z for _ in range(draws)]).mean(0))
    definition = "Dimensions of z whose posterior mean varies by more than 0.01."
    estimator = "covariance over images of two means of draws"
    how = {**how, "estimator": estimator, "draws": draws}
    _put_units(record, covariances(*map(torch.cat, halves)), definition, how, {})


def _put_units(
    record: Record, variances: Tensor, definition: str, how: dict[str, Any], by_dimension: dict[str, Tensor]
) -> None:
    """Note how many dimensions are in use and, of each, the variance of its mean and, where there is one, its rate in nats."""
    listed = {
        name: [round(each, 6) for each in values.tolist()]
        for name, values in {"variances": variances, **by_dimension}.items()
    }
    record.put("active_units", active_units(variances), definition, **how, **listed)


def _put_perplexity(record: Record, model: Model, latents: Sequence[Latent], how: dict[str, Any]) -> None:
    if model.posterior.kind != "discrete":
        record.dash("codebook_perplexity", "there is no codebook")
        return
    indices = torch.cat([latent.indices for latent in latents if isinstance(latent, DiscreteLatent)])
    definition = "Exponential of the entropy of the codes in use: how many are used as if equally often."
    perplexity = codebook_perplexity(indices, model.posterior.codebook_size)
    record.put("codebook_perplexity", perplexity, definition, **how)


def _put_log_det(record: Record, latents: Sequence[Latent], how: dict[str, Any]) -> None:
    log_dets = [latent.log_det for latent in latents if isinstance(latent, FlowLatent)]
    if not log_dets or how["images"] < 2:
        record.dash("log_det_deviation", "one image has no deviation" if log_dets else "the posterior has no flow")
        return
    definition = "Standard deviation over images of the posterior flow's log-determinant, nats; 0 for an inert flow."
    record.put("log_det_deviation", float(torch.cat(log_dets).std()), definition, **how)


def _rate_each(model: Model, latent: Latent, labels: Tensor) -> Tensor | None:
    """KL(q(z_j|x) || p(z_j)) of each dimension, (b, latent), where the density of z factorises."""
    return model.latent_density.kl_each(latent, model.condition(labels))
