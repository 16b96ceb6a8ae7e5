"""Likelihood metrics of a run: ELBO, negative log-likelihoods, bits per dimension."""

from math import prod
from typing import Any

import torch

from vaeline.data.batches import Batches
from vaeline.data.facts import Facts
from vaeline.evaluation import raw_likelihood
from vaeline.evaluation.draws import seed_of_run
from vaeline.evaluation.kept import Kept
from vaeline.evaluation.measures import GREY_GAP, measure_of, takes_expectations
from vaeline.evaluation.raw_likelihood import Estimation, Role, why_no_refit
from vaeline.evaluation.record import NO_LABELS, Record
from vaeline.metrics._parts import part_means
from vaeline.metrics.bits_per_dim import bits_per_dim
from vaeline.metrics.elbo import mean_over_images
from vaeline.metrics.nll import Annealed, NotFinite, Summary, summarize
from vaeline.metrics.parameters import count_parameters
from vaeline.models.contracts import Likelihood
from vaeline.models.estimators.availability import NO_DENSITY, why_no_likelihood
from vaeline.models.model import Model
from vaeline.study.schema import Evaluation

GIVEN_LABEL = "nll_given_label"
BITS = {"nll": "bits_per_dim", GIVEN_LABEL: "bits_per_dim_given_label"}  # likelihood -> its code length

How = dict[str, Any]


def measure_likelihood(
    model: Model, train: Batches, test: Batches, settings: Evaluation, kept: Kept | None = None, run_seed: int = 0
) -> Record:
    """Measure the ELBO of every test image, and the likelihood of `settings.images` of them.

    The ELBO and the likelihoods draw from two random streams, so that neither depends on how many samples the other takes.

    Args:
        model: in evaluation mode, on the device of the batches.
        train: training split, for class frequencies and for the sigma that is refitted.
        test: test split, dequantized once.
        settings: how many samples, and the seed.
        kept: results of earlier evaluations of the run.
        run_seed: of the run, for the draws that are its own.
    """
    kept = (kept or Kept()).called_by(__name__)
    seed = seed_of_run(settings.seed, run_seed)
    record = Record(checksums=test.facts.checksums, seed=settings.seed)
    record.put("parameters", count_parameters(model.parameters()))
    _put_elbo(record, model, test, settings, seed, kept)
    likelihoods = raw_likelihood.likelihoods_of(model, train, seed, kept)
    if not why_no_likelihood(model):
        estimation = Estimation(model, train, test, settings, seed, kept)
        for role, likelihood in likelihoods.items():
            _put_estimated(record, estimation, likelihood, role)
    _dash_absent(record, model, test.facts)
    for name, bits in BITS.items():
        _put_bits(record, name, bits, test.facts, model.likelihood)
    _put_effective_sample_size(record, why_no_likelihood(model))
    _put_sigma(record, model.likelihood)
    return record


def _put_elbo(record: Record, model: Model, test: Batches, settings: Evaluation, seed: int, kept: Kept) -> None:
    section = kept.section(
        "elbo", [raw_likelihood.__name__], samples=settings.bound_samples, seed=seed, dequantized=settings.seed
    )
    found = kept.result(section, lambda: {"elbo": raw_likelihood.elbo_of_images(model, test, settings, seed)})
    distortion, *rate = found["elbo"].double()
    if not rate:
        record.dash_each(("negative_elbo", "rate"), NO_DENSITY)
    both = {"negative_elbo": distortion + rate[0], "rate": rate[0]} if rate else {}
    measure = measure_of(model.likelihood, test.facts.pixels, model.conditional)
    error = model.latent_density.log_prob_error
    of_rate = {} if error is None else {"log_prob_error": error}
    for name, values in {"distortion": distortion, **both}.items():
        how: How = {"split": "test", "images": len(values), "samples": settings.bound_samples}
        how |= {} if name == "distortion" else of_rate
        mean = mean_over_images(values)
        parts = part_means(values.numpy())
        record.put(name, mean.value, **how, parts=parts, **({} if name == "rate" else {"measure": measure}))
        record.put(f"{name}_standard_error", mean.standard_error, **how)


def _put_estimated(record: Record, estimation: Estimation, likelihood: Likelihood, role: Role) -> None:
    """Record the negative log-likelihoods under one p(x|z), under two names each if its sigma is a refitted one anyway."""
    found, pixels = estimation.estimated(likelihood, role), estimation.test.facts.pixels
    grey = takes_expectations(estimation.model.likelihood, pixels)
    of_annealed = estimation.by_name(found.annealed, found.bridged)
    for name, estimates in estimation.by_name(found.given, torch.arange(len(estimation.chosen))).items():
        own, refit = name, f"{name}_refit"
        names = [own, refit] if likelihood.kind == "calibrated" else [own if role == "own" else refit]
        annealed = Annealed(found.bridged, of_annealed[name], found.gaps)
        try:
            summary = summarize(estimates, names[0], annealed, estimation.chosen)
        except NotFinite as error:
            record.dash_each(names, str(error))
            continue
        how = _how_estimated(summary, estimation, len(found.bridged))
        notes = _notes(summary, likelihood, measure_of(likelihood, pixels, name == GIVEN_LABEL), how)
        for each in names:
            _put_nll(record, each, summary, how, notes)
            _put_gap(record, each, summary.gap, found.why_no_gap, grey, how)


def _how_estimated(summary: Summary, estimation: Estimation, annealed: int) -> How:
    """How a negative log-likelihood was estimated, and of which images."""
    settings = estimation.settings.likelihood
    return {
        "split": "test", "images": len(summary.values), "of": len(estimation.test.images), "method": settings.method,
        "samples": settings.samples, "annealed": annealed,
    }  # fmt: skip


def _notes(summary: Summary, likelihood: Likelihood, measure: str, how: How) -> How:
    """What a reader of a negative log-likelihood must know: its measure, its sigma, and what keeps it from being an estimate of all images."""
    notes: How = {"measure": measure}
    if likelihood.sigma is not None:
        notes["sigma"] = float(likelihood.sigma)
    if summary.why_upper_bound:
        notes["upper_bound"] = summary.why_upper_bound
    if how["images"] < how["of"]:
        notes["warning"] = f"of {how['images']:,} of the {how['of']:,} test images"
    return notes


def _put_nll(record: Record, name: str, summary: Summary, how: How, notes: How) -> None:
    """Record a negative log-likelihood with its errors."""
    trust: How = {
        "effective_sample_size": summary.effective_sample_size, "untrusted": summary.untrusted,
        "untrusted_images": summary.failed,
    }  # fmt: skip
    record.put(name, summary.nll, **how, **trust, parts=part_means(-summary.values.numpy()), **notes)
    if how["method"] == "posterior":
        record.put(f"{name}_tenth", summary.tenth, **{**how, "samples": how["samples"] // 10}, **notes)
    record.put(f"{name}_standard_error", summary.standard_error, **how)
    if summary.why_upper_bound:
        record.dash(f"{name}_monte_carlo_error", "the value is an upper bound, whose bias exceeds this error")
    else:
        record.put(f"{name}_monte_carlo_error", summary.monte_carlo_error, **how)


def _put_gap(record: Record, name: str, gap: float | None, why_none: str, grey: bool, how: How) -> None:
    """Record how far apart the bounds of log p(x) are on images that the model draws, which are black and white if it takes greys."""
    if gap is None:
        record.dash(f"{name}_gap", why_none)
    else:
        record.put(f"{name}_gap", gap, **how, **({"warning": GREY_GAP} if grey else {}))


def _dash_absent(record: Record, model: Model, facts: Facts) -> None:
    """Record for each likelihood that was not measured why it was not."""
    attributes = model.conditional and not facts.classes
    absent = {
        GIVEN_LABEL: "" if model.conditional else NO_LABELS,
        "nll": "combinations of attributes have no p(y) to sum over" if attributes else "",
    }
    for name, why in absent.items():
        for each, reason in {name: "", f"{name}_refit": why_no_refit(model, facts.pixels)}.items():
            if each not in record.evaluation:
                record.dash(each, why_no_likelihood(model) or why or reason)


def _put_sigma(record: Record, likelihood: Likelihood) -> None:
    if likelihood.sigma is None:
        record.dash("sigma", "the likelihood has no sigma")
        return
    origin = {"constant": "a fixed value", "trained": "a trained weight", "calibrated": "fitted to the training split"}
    record.put("sigma", float(likelihood.sigma), value_is=origin[likelihood.kind])


def _put_effective_sample_size(record: Record, why_no_likelihood: str) -> None:
    name = next((each for each in BITS if each in record.metrics), None)
    if name is None:
        record.dash("effective_sample_size", why_no_likelihood or "no likelihood is finite")
        return
    made = record.evaluation[name]
    how = {key: made[key] for key in ("split", "images", "of", "samples")}
    record.put("effective_sample_size", made["effective_sample_size"], **how, likelihood=name)


def _put_bits(record: Record, name: str, bits: str, facts: Facts, likelihood: Likelihood) -> None:
    if name not in record.metrics:
        record.dash(bits, record.evaluation[name]["dash"])
        return
    made = record.evaluation[name]
    how = {key: made[key] for key in ("split", "images", "of", "samples", "upper_bound", "warning") if key in made}
    dimensions, (low, high) = prod(facts.image_shape), facts.range
    if facts.pixels == "dequantized":
        levels, span = facts.levels, high - low
    elif likelihood.sigma is not None or facts.points or takes_expectations(likelihood, facts.pixels):
        record.dash(bits, "the likelihood is neither a probability of whole levels nor a density of dequantized ones")
        return
    else:
        levels, span = 1, 1.0
    value, *parts = (bits_per_dim(nats, dimensions, levels, span) for nats in (made["value"], *made.get("parts", [])))
    record.put(bits, value, **how, parts=parts)
