"""Latent metrics of a run: mismatch with the prior, leaks, units and codes in use, how much a flow does."""

import torch
from torch import Tensor

from vaeline.data.batches import Batches
from vaeline.evaluation import raw_collapse, raw_latents
from vaeline.evaluation.draws import seed_of_images, seed_of_run
from vaeline.evaluation.kept import Kept
from vaeline.evaluation.raw_latents import SAMPLES
from vaeline.evaluation.record import Record
from vaeline.metrics.active_units import active_units
from vaeline.metrics.codebook_perplexity import codebook_perplexity
from vaeline.metrics.collapse import Loss, decided_share, shuffle_loss, use_of_codes, use_of_dimensions
from vaeline.metrics.dead_codes import dead_codes
from vaeline.metrics.leakage import OUTSKIRTS, leak, leakage_curve
from vaeline.metrics.log_det_deviation import log_det_deviation
from vaeline.metrics.mutual_information import MutualInformation, mutual_information
from vaeline.metrics.symmetric_kl import symmetric_kl
from vaeline.metrics.upper_rate import rates_of_levels, upper_rate
from vaeline.models.contracts import Acceptance
from vaeline.models.model import Model
from vaeline.system.state_files import State

OF_PRIOR = ("skl", "leakage", "leaked_share")

How = dict[str, object]


def measure_latents(
    model: Model, train: Batches, test: Batches, seed: int, kept: Kept | None = None, run_seed: int = 0
) -> Record:
    """Compare the aggregate posterior of the training split with p(z), and count what is in use.

    Args:
        model: in evaluation mode, on the device of the batches.
        train: training split.
        test: test split.
        seed: of the evaluation.
        kept: results of earlier evaluations of the run.
        run_seed: of the run, for the draws that are its own.
    """
    kept = (kept or Kept()).called_by(__name__)
    record = Record(checksums=train.facts.checksums, seed=seed)
    code, noise, own = [raw_latents.__name__], seed_of_images(seed), seed_of_run(seed, run_seed)
    samples = kept.section("aggregate", code, seed=own)
    _put_aggregate(
        record, kept.result(samples, lambda: raw_latents.aggregate_samples(model, train, own)), len(train.images)
    )
    statistics = kept.section("posteriors", code, seed=own, dequantized=noise)
    found = kept.result(statistics, lambda: raw_latents.posterior_statistics(model, test, noise, own))
    how: How = {"split": "test", "images": len(test.images)}
    _put_units(record, found, how)
    _put_levels(record, found, how)
    _put_codes(record, found, model.posterior.codebook_size, how)
    _put_log_det(record, found, how)
    _put_acceptance(record, model.latent_density.acceptance)
    _put_use(record, model, test.spread(raw_collapse.MOST_IMAGES), noise, own, kept)
    return record


def _put_aggregate(record: Record, found: State, images: int) -> None:
    if found["why_no_aggregate"]:
        record.dash_each(("mutual_information", *OF_PRIOR), found["why_no_aggregate"])
        return
    shared = mutual_information(found["log_q_given"], found["log_q"], images)
    how: How = {"split": "train", "images": images, "samples": SAMPLES}
    more = {"log_images": shared.log_images, "saturated": shared.saturated}
    record.put("mutual_information", shared.mutual_information, **how, **more)
    record.put("mutual_information_standard_error", shared.standard_error, **how)
    if found["why_no_prior"]:
        record.dash_each(OF_PRIOR, found["why_no_prior"])
        return
    _put_mismatch(record, found, shared, how)
    _put_leaks(record, found, {**how, "saturated": shared.saturated})


def _put_mismatch(record: Record, found: State, shared: MutualInformation, how: How) -> None:
    both = symmetric_kl(found["log_q"], found["log_p"], found["log_q_of_prior"], found["log_p_of_prior"])
    halves = {"aggregate_to_prior": both.aggregate_to_prior, "prior_to_aggregate": both.prior_to_aggregate}
    more = {**halves, "mutual_information": shared.mutual_information, "saturated": shared.saturated}
    record.put("skl", both.skl, **how, **more)
    record.put("skl_standard_error", both.standard_error, **how)


def _put_leaks(record: Record, found: State, how: How) -> None:
    low = leak(found["log_q"], found["log_p"], found["log_p_of_prior"])
    curve = [each._asdict() for each in leakage_curve(found["log_q"], found["log_p"])]
    rare = f"log p(z) under that of {OUTSKIRTS:.0%} of p's own draws"
    record.put("leaked_share", low.share, **how, threshold=low.threshold)
    record.put("leaked_share_standard_error", low.share_error, **how)
    if low.leakage is None:
        record.dash("leakage", f"no sample of q_agg has {rare}")
        record.evaluation["leakage"]["curve"] = curve
    else:
        record.put("leakage", low.leakage, **how, threshold=low.threshold, curve=curve)
    if low.leakage_error is None:
        record.dash("leakage_standard_error", f"fewer than two samples of q_agg have {rare}")
    else:
        record.put("leakage_standard_error", low.leakage_error, **how)


def _put_units(record: Record, found: State, how: How) -> None:
    """Record how many dimensions are in use and, for each, the variance of its mean and, if there is one, its rate."""
    if found["why_no_units"]:
        record.dash("active_units", found["why_no_units"])
        return
    by_dimension = {name: _rounded(found[name]) for name in ("variances", "rates") if name in found}
    made = {name: found[name] for name in ("estimator", "draws") if name in found}
    record.put("active_units", active_units(found["variances"]), **how, **made, **by_dimension)


def _put_levels(record: Record, found: State, how: How) -> None:
    if "levels" not in found:
        record.dash("upper_rate", found["why_no_units"] or "the posterior has one level")
    elif "rates" not in found:
        record.dash("upper_rate", "the prior has no rate of a single dimension in closed form")
    else:
        by_level = rates_of_levels(found["rates"], found["levels"])
        record.put("upper_rate", upper_rate(by_level), **how, by_level=[round(each, 6) for each in by_level])


def _rounded(values: Tensor) -> list[float]:
    return [round(each, 6) for each in values.tolist()]


def _put_codes(record: Record, found: State, codebook_size: int, how: How) -> None:
    if "indices" in found:
        record.put("codebook_perplexity", codebook_perplexity(found["indices"], codebook_size), **how)
        record.put("dead_codes", dead_codes(found["indices"], codebook_size), **how, places=found["indices"].numel())
    else:
        record.dash_each(("codebook_perplexity", "dead_codes"), "there is no codebook")


def _put_log_det(record: Record, found: State, how: How) -> None:
    log_det: Tensor = found.get("log_det", torch.empty(0))
    if len(log_det) < 2:
        record.dash("log_det_deviation", "one image has no deviation" if len(log_det) else "the posterior has no flow")
        return
    record.put("log_det_deviation", log_det_deviation(log_det), **how)


def _put_acceptance(record: Record, found: Acceptance | None) -> None:
    if found is None:
        record.dash("acceptance", "the prior rejects no proposals")
        return
    how: How = {"error_of_log_prior": found.standard_error / found.share}
    record.put("acceptance", found.share, **how)
    record.put("acceptance_standard_error", found.standard_error, **how)


def _put_use(record: Record, model: Model, test: Batches, noise: int, seed: int, kept: Kept) -> None:
    """Record whether the posterior has collapsed, and what z of another image costs."""
    if len(test.images) < 2:
        record.dash_each(("posterior", "shuffle_loss"), "one image cannot be compared with others")
        return
    section = kept.section("collapse", [raw_collapse.__name__], seed=seed, dequantized=noise)
    found = kept.result(section, lambda: raw_collapse.use_of_latents(model, test, noise, seed))
    how: How = {"split": "test", "images": len(test.images)}
    if found["unlike"]:
        how["warning"] = f"{found['unlike']:,} of {len(test.images):,} images have labels that no other image has"
    loss = shuffle_loss(found["losses"], found["given"])
    record.put("shuffle_loss", loss.value, **how, turns=raw_collapse.TURNS)
    record.put("shuffle_loss_standard_error", loss.standard_error, **how)
    _put_verdict(record, found, loss, model.posterior.codebook_size, how)


def _put_verdict(record: Record, found: State, loss: Loss, codebook_size: int, how: How) -> None:
    """Record the share of units in use with the verdict, and the numbers behind it."""
    if "between" in found:
        share = decided_share(found["between"], found["within"])
        use, unit, how = use_of_dimensions(share, loss), "units", {**how, "decided": _rounded(share)}
    elif "indices" in found:
        use, unit = use_of_codes(found["indices"], codebook_size, loss), "codes"
    else:
        record.dash("posterior", "a point cannot collapse to a prior")
        return
    if use is None:
        record.dash("posterior", "codes are not finite")
        return
    more = {**use._asdict(), "unit": unit, "shuffle_loss": loss.value}
    record.put("posterior", use.share, **how, **more)
