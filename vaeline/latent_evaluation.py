"""What a run's latent space is like: its mismatch with the prior, leaks, units and codes in use, how much a flow does."""

from math import nan

import numpy as np
import torch
from torch import Tensor

from vaeline.batches import Batches
from vaeline.metrics.active_units import active_units
from vaeline.metrics.codebook_perplexity import codebook_perplexity
from vaeline.metrics.leakage import leakage_curve
from vaeline.metrics.mutual_information import mutual_information
from vaeline.metrics.symmetric_kl import symmetric_kl
from vaeline.model import Model
from vaeline.record import Record
from vaeline.sampling import aggregate_posterior
from vaeline.seeds import derive_seed

SAMPLES = 5000  # each way, as in dpVAEs
MOST_LABELS = 200  # rows of labels over which a conditional prior is averaged
OF_GAUSSIANS = ("skl", "mutual_information", "leakage", "leaked_share", "active_units")
LEAK = -10.0  # nats; the threshold whose leakage is a figure of its own, beside the curve


def judge_latents(model: Model, train: Batches, test: Batches, seed: int) -> Record:
    """Hold the aggregate posterior of the training split against p(z); count what is in use.

    Args:
        model: in evaluation mode, on the device of the batches.
        train: training split.
        test: test split.
        seed: of all samples.
    """
    record = Record()
    kind = model.posterior.kind
    if kind == "gaussian":
        _judge_gaussian(record, model, train, derive_seed("aggregate posterior", seed))
    else:
        reasons = {
            "point": "the posterior is a point",
            "density": "q(z|x) of a flow cannot be had at the z of another image",
            "codes": "latents are codes",
        }
        for figure in OF_GAUSSIANS:
            record.dash(figure, reasons[kind])
    _judge_images(record, model, test, derive_seed("latents", seed))
    return record


@torch.inference_mode()
def _judge_gaussian(record: Record, model: Model, train: Batches, seed: int) -> None:
    aggregate = aggregate_posterior(model, train, seed)
    drawn = aggregate.sample(SAMPLES, torch.Generator().manual_seed(seed))
    marginal = _Marginal(model, train, seed)
    from_prior = marginal.sample(SAMPLES)
    log_q, log_p = aggregate.log_prob(drawn.z), marginal.log_prob(drawn.z)
    both = symmetric_kl(log_q, log_p, aggregate.log_prob(from_prior), marginal.log_prob(from_prior))
    shared = mutual_information(drawn.log_q, log_q, len(train.images))
    how = {"split": "train", "images": len(train.images), "samples": SAMPLES}
    halves = {
        "standard_error": both.standard_error,
        "aggregate_to_prior": both.aggregate_to_prior,
        "prior_to_aggregate": both.prior_to_aggregate,
        "mutual_information": shared.mutual_information,
        "log_images": shared.log_images,
        "saturated": shared.saturated,
    }
    record.put("skl", both.skl, "KL(q_agg || p) + KL(p || q_agg) in z, nats, q_agg over the split.", **how, **halves)
    definition = "I(x;z) under q: mean of log q(z|x) - log q_agg(z), nats; at most log of the images."
    record.put("mutual_information", shared.mutual_information, definition, **how, saturated=shared.saturated)
    curve = leakage_curve(log_q, log_p)
    [at] = [each for each in curve if each.threshold == LEAK]
    points = {"curve": [each._asdict() for each in curve]}
    definition = f"Mean of log q_agg(z) - log p(z), nats, over z ~ q_agg with log p(z) < {LEAK:g}."
    if at.leakage is None:
        record.dash("leakage", f"no sample of q_agg has log p(z) < {LEAK:g}")
        record.evaluation["leakage"] |= points
    else:
        record.put("leakage", at.leakage, definition, **how, **points)
    definition = f"Share of z ~ q_agg with log p(z) < {LEAK:g}."
    record.put("leaked_share", at.share, definition, **how)


class _Marginal:
    """p(z), for a conditional prior its mean over rows of labels as they stand in the training split."""

    def __init__(self, model: Model, train: Batches, seed: int) -> None:
        self.density, self.device = model.latent_density, train.labels.device
        self.seed = seed
        self.conditions: Tensor | None = None
        if getattr(self.density, "conditional", False):
            rows = np.random.default_rng(seed).integers(len(train.labels), size=MOST_LABELS)
            labels = train.labels[torch.from_numpy(rows).to(self.device)]
            self.conditions = model.condition(labels)

    def sample(self, count: int) -> Tensor:
        torch.manual_seed(self.seed)
        if self.conditions is None:
            return self.density.sample(count, None).cpu()
        each = self.conditions.repeat(-(-count // len(self.conditions)), 1)[:count]
        return self.density.sample(count, each).cpu()

    def log_prob(self, z: Tensor) -> Tensor:
        z = z.to(self.device)
        if self.conditions is None:
            return self.density.log_prob(z, None).cpu().double()
        given = [self.density.log_prob(z, each.expand(len(z), -1)).cpu().double() for each in self.conditions]
        return torch.stack(given).logsumexp(0) - float(np.log(len(given)))


@torch.inference_mode()
def _judge_images(record: Record, model: Model, test: Batches, seed: int) -> None:
    torch.manual_seed(seed)
    latents = [model.encode(x, labels) for x, labels in test.ordered(seed)]
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
