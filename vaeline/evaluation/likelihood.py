"""What one run is worth as a density: bounds and likelihoods of test images."""

import copy
from collections.abc import Sequence
from math import prod, sqrt
from typing import Any

import torch
from torch import Tensor

from vaeline.data.batches import Batches, evenly_spaced
from vaeline.data.facts import Facts
from vaeline.evaluation.record import Record
from vaeline.metrics.bits_per_dim import bits_per_dim
from vaeline.models.calibration import mean_squared_error
from vaeline.models.contracts import Likelihood
from vaeline.models.importance_sampling import LogLikelihood, concatenate, summarize
from vaeline.models.likelihood_estimation import estimate, log_frequencies, why_no_likelihood
from vaeline.models.model import Model
from vaeline.study.schema import Evaluation
from vaeline.system.progress import Bar
from vaeline.system.seeds import derive_seed

DEFINITIONS = {
    "negative_elbo": "-log p(x|z) + KL(q(z|x) || p(z)), nats per image, z ~ q.",
    "distortion": "-log p(x|z), nats per image, z ~ q.",
    "rate": "KL(q(z|x) || p(z)), nats per image.",
    "nll": "-log p(x), nats per image, by importance sampling from q.",
    "nll_given_label": "-log p(x|y), nats per image with the label y, by importance sampling from q.",
}
REFITTED = " Sigma is refitted on the training split, the model frozen."


def judge_likelihood(model: Model, train: Batches, test: Batches, settings: Evaluation) -> Record:
    """Measure the bound of every test image, and the likelihood of `settings.images` of them.

    Seeds torch's global generator, from which posteriors are sampled: for the bounds and for the likelihoods apart, so that
    neither depends on how many samples the other takes.

    Args:
        model: in evaluation mode, on the device of the batches.
        train: training split: class frequencies, and the sigma of a likelihood that has fitted none itself.
        test: test split, dequantized once.
        settings: how many samples, and the seed.
    """
    record = Record(checksums=test.facts.checksums, seed=settings.seed)
    record.put("parameters", sum(each.numel() for each in model.parameters()), "Trained numbers of the model.")
    judged = _likelihoods_of(model, train, settings.seed)
    bounds, estimates = _bounds(model, test, settings), _estimates(model, judged, train, test, settings)
    _put_bounds(record, bounds, settings, _kind_of(model.likelihood.sigma, model.conditional))
    for figure, found in estimates.items():
        for row, (suffixes, judge) in enumerate(judged.items()):
            likelihood = LogLikelihood(*(field[row] for field in found))
            how = {"of": len(test.images), "samples": settings.importance_samples}
            _put_likelihood(record, figure, suffixes, likelihood, judge.sigma, how)
    _dash_likelihoods(record, model, test.facts)
    for figure, bits in {"nll": "bits_per_dim", "nll_given_label": "bits_per_dim_given_label"}.items():
        _put_bits(record, figure, bits, test.facts, probability=model.likelihood.sigma is None)
    _put_effective_sample_size(record, why_no_likelihood(model))
    _put_sigma(record, model.likelihood)
    return record


def _dash_likelihoods(record: Record, model: Model, facts: Facts) -> None:
    """Say why of each likelihood that was not measured."""
    absent = {
        "nll_given_label": "" if model.conditional else "the system is given no labels",
        "nll": "combinations of attributes have no p(y) to sum over" if model.conditional and not facts.classes else "",
    }
    for figure, why in absent.items():
        for name, reason in {figure: "", f"{figure}_refit": _why_no_refit(model, facts)}.items():
            if name not in record.evaluation:
                record.dash(name, why_no_likelihood(model) or why or reason)


def _why_no_refit(model: Model, facts: Facts) -> str:
    """What keeps sigma from being refitted; empty where nothing does."""
    if model.likelihood.sigma is None:
        return "the likelihood has no sigma to refit"
    return "" if facts.pixels in ("dequantized", "points") else "a density of whole levels has no best sigma"


def _likelihoods_of(model: Model, train: Batches, seed: int) -> dict[tuple[str, ...], Likelihood]:
    """The likelihoods to judge, by the suffixes of their figures: the model's own, and one whose sigma is fitted."""
    if model.likelihood.kind == "calibrated":
        return {("", "_refit"): model.likelihood}
    if _why_no_refit(model, train.facts):
        return {("",): model.likelihood}
    torch.manual_seed(derive_seed("refit posterior", seed))
    refitted = copy.deepcopy(model.likelihood)
    refitted.calibrate(mean_squared_error(model, train, derive_seed("refit batches", seed)))
    return {("",): model.likelihood, ("_refit",): refitted}


@torch.inference_mode()
def _bounds(model: Model, test: Batches, settings: Evaluation) -> Tensor:
    """Distortion and, where there is one, rate of every image, (1 or 2, images)."""
    torch.manual_seed(derive_seed("bounds", settings.seed))
    bounds = []
    for x, labels in test.ordered(derive_seed("evaluation batches", settings.seed)):
        drawn = [model.elbo(x, labels) for _ in range(settings.bound_samples)]
        halves = [torch.stack([each.distortion, *([] if each.rate is None else [each.rate])]) for each in drawn]
        bounds.append(torch.stack(halves).mean(0).cpu())
    return torch.cat(bounds, 1)


@torch.inference_mode()
def _estimates(
    model: Model, judged: dict[tuple[str, ...], Likelihood], train: Batches, test: Batches, settings: Evaluation
) -> dict[str, LogLikelihood]:
    """The likelihoods of the chosen images, (likelihoods, chosen images), by figure; none where nothing can be sampled."""
    if why_no_likelihood(model):
        return {}
    torch.manual_seed(derive_seed("importance samples", settings.seed))
    chosen = torch.zeros(len(test.images), dtype=torch.bool)
    chosen[evenly_spaced(len(test.images), settings.images)] = True
    log_prior = log_frequencies(train.labels, test.facts) if test.facts.classes else None
    estimates, ordered = [], test.ordered(derive_seed("evaluation batches", settings.seed))
    with Bar("likelihood", int(chosen.sum())) as bar:
        for (x, labels), rows in zip(ordered, chosen.split(test.batch_size), strict=True):
            if rows.any():
                x, labels = x[rows.to(x.device)], labels[rows.to(x.device)]
                found = estimate(model, list(judged.values()), x, labels, settings.importance_samples, log_prior)
                estimates.append(found)
                bar.advance(len(x))
    return {figure: concatenate([each[figure] for each in estimates]) for figure in estimates[0]}


def _kind_of(sigma: Tensor | None, given_label: bool) -> str:
    """What a likelihood is, in words: figures of unlike measures do not compare."""
    return f"{'probability' if sigma is None else 'density'} of pixels{' given the label' if given_label else ''}"


def _put_bounds(record: Record, bounds: Tensor, settings: Evaluation, measure: str) -> None:
    distortion, *rate = bounds.double()
    if not rate:
        record.dash_each(("negative_elbo", "rate"), "q(z|x) is a point without a density")
    both = {"negative_elbo": distortion + rate[0], "rate": rate[0]} if rate else {}
    for figure, values in {"distortion": distortion, **both}.items():
        how = {"split": "test", "images": len(values), "samples": settings.bound_samples}
        of_pixels = {} if figure == "rate" else {"measure": measure}
        record.put(figure, values.mean().item(), DEFINITIONS[figure], **how, **of_pixels)
        error = values.std().item() / sqrt(len(values))
        record.put(f"{figure}_standard_error", error, f"Standard error of {figure} over images.", **how)


def _put_likelihood(
    record: Record,
    figure: str,
    suffixes: Sequence[str],
    estimate: LogLikelihood,
    sigma: Tensor | None,
    how: dict[str, Any],
) -> None:
    summary, images, samples = summarize(estimate, figure + suffixes[0]), len(estimate.log_prob), how["samples"]
    how = {"split": "test", "images": images, **how}
    notes: dict[str, Any] = {"measure": _kind_of(sigma, figure == "nll_given_label")}
    if summary.why_bound:
        notes["bound"] = summary.why_bound
    if images < how["of"]:
        notes["warning"] = f"of {images:,} of the {how['of']:,} test images"
    if sigma is not None:
        notes["sigma"] = float(sigma)
    effective = {"effective_sample_size": summary.effective_sample_size}
    for suffix in suffixes:
        name, definition = figure + suffix, DEFINITIONS[figure] + (REFITTED if suffix else "")
        record.put(name, summary.nll, definition, **how, **effective, **notes)
        fewer = {"tenth": (summary.tenth, samples // 10), "hundredth": (summary.hundredth, max(1, samples // 100))}
        for part, (value, count) in fewer.items():
            record.put(
                f"{name}_{part}", value, f"{name} from a {part} of the samples.", **how | {"samples": count}, **notes
            )
        record.put(f"{name}_standard_error", summary.standard_error, f"Standard error of {name} over images.", **how)
        if summary.why_bound:
            record.dash(
                f"{name}_monte_carlo_error", "of an upper bound it would leave out the bias, which is what matters"
            )
            continue
        definition = f"Standard error of {name} over draws of the importance samples, by the delta method."
        record.put(f"{name}_monte_carlo_error", summary.monte_carlo_error, definition, **how)


def _put_sigma(record: Record, likelihood: Likelihood) -> None:
    if likelihood.sigma is None:
        record.dash("sigma", "the likelihood has no sigma")
        return
    whence = {"constant": "a fixed value", "trained": "a trained weight", "calibrated": "fitted to the training split"}
    definition = "Standard deviation of a pixel under p(x|z)."
    record.put("sigma", float(likelihood.sigma), definition, value_is=whence[likelihood.kind])


def _put_effective_sample_size(record: Record, why_no_likelihood: str) -> None:
    figure = next((name for name in ("nll", "nll_given_label") if name in record.metrics), None)
    if figure is None:
        record.dash("effective_sample_size", why_no_likelihood or "no likelihood is finite")
        return
    of_figure = record.evaluation[figure]
    definition = "(sum w)^2 / sum w^2 of the importance weights w of the likelihood, median over images."
    how = {key: of_figure[key] for key in ("split", "images", "of", "samples")}
    record.put("effective_sample_size", of_figure["effective_sample_size"], definition, **how, likelihood=figure)


def _put_bits(record: Record, figure: str, bits: str, facts: Facts, probability: bool) -> None:
    if figure not in record.metrics:
        record.dash(bits, record.evaluation[figure]["dash"])
        return
    made = record.evaluation[figure]
    how = {key: made[key] for key in ("split", "images", "of", "samples", "bound", "warning") if key in made}
    dimensions, (low, high) = prod(facts.image_shape), facts.range
    if facts.pixels == "dequantized":
        value = bits_per_dim(record.metrics[figure], dimensions, facts.levels, high - low)
        record.put(bits, value, f"{figure} of dequantized images / (dimensions ln 2) + log2(levels / range).", **how)
    elif facts.pixels == "greys" or facts.points or not probability:
        record.dash(bits, "the likelihood is no probability of whole levels, nor a density of dequantized ones")
    else:
        value = bits_per_dim(record.metrics[figure], dimensions, 1, 1)
        record.put(bits, value, f"{figure} of black and white images / (dimensions ln 2).", **how)
