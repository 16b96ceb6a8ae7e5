"""What a run draws into samples.h5: reconstructions, samples, switched labels, codes, traversals, interpolations."""

from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor

from vaeline.data.batches import Batches
from vaeline.data.facts import Facts
from vaeline.models.aggregate_posterior import Aggregate, aggregate_posterior, why_no_aggregate
from vaeline.models.interpolation import interpolate
from vaeline.models.low_posterior import low_posterior
from vaeline.models.model import Model
from vaeline.models.sampling import decode, draw, posterior_centres, reconstruct, sample
from vaeline.system.seeds import derive_seed

MOST_CODES = 2000  # of each kind, for maps of the latent space
TRAVERSAL_STEPS = 9
TRAVERSAL_REACH = 2.5  # standard deviations of the codes, either way
MOST_TRAVERSED = 10  # latent dimensions
MOST_SWITCHES = 10  # values of a class, or attributes, that draws are switched between
SWITCHED_DRAWS = 4
PAIRS, WAY_STEPS = 4, 9  # of interpolations between test images


class Decoded(NamedTuple):
    """Images that are decoded batch by batch, as they are taken."""

    rows: int
    batches: Iterator[Tensor]  # uint8 levels, (b, channel, height, width), or points


def everything(
    model: Model, test: Batches, train: Batches, seed: int, run_seed: int
) -> Iterator[tuple[str, Tensor | Decoded]]:
    """Draw all that a run draws, as far as the model has it, by the names of samples.h5.

    Seeds torch's global generator for each: a content is taken whole before the next one is asked for.

    Args:
        model: in evaluation mode, on the device of the batches.
        test: images to reconstruct, whose labels samples are asked to show.
        train: training split, from whose posteriors the aggregate is made.
        seed: of what is drawn alike from every run.
        run_seed: of the run, from which it draws of its own.
    """
    errors: list[Tensor] = []
    reconstructions = reconstruct(model, test, derive_seed("reconstruction", seed))
    yield "reconstructions", Decoded(len(test.labels), _measured(reconstructions, test, errors))
    yield "reconstruction_errors", torch.cat(errors)
    samples = sample(model, test.labels, test.facts, derive_seed("sample", seed, run_seed), test.batch_size)
    yield "samples", Decoded(len(test.labels), samples)
    if model.conditional and not test.facts.points:
        asked = switches(test.labels, test.facts)
        yield "switched_labels", asked
        yield "switched", switched(model, asked, test.facts, derive_seed("switches", seed, run_seed))
    if model.posterior.kind != "discrete":
        yield from _latents(model, test, train, derive_seed("latents", seed, run_seed))


def _latents(model: Model, test: Batches, train: Batches, seed: int) -> Iterator[tuple[str, Tensor | Decoded]]:
    """What maps of the latent space show: codes of test images, draws of p(z), traversals."""
    of_images = posterior_centres(model, test, seed)
    yield "codes", of_images[:MOST_CODES]
    torch.manual_seed(derive_seed("prior", seed))
    yield "prior", draw(model, test.labels[:MOST_CODES])
    if not test.facts.points:
        path = traversals(of_images)
        under = test.labels[:1].expand(path.shape[0] * path.shape[1], -1)
        decoded = torch.cat(list(decode(model, path.flatten(0, 1), under, test.facts, test.batch_size)))
        yield "traversals", decoded.unflatten(0, path.shape[:2])
        yield from _interpolations(model, test, of_images)
    if not why_no_aggregate(model):
        yield from _of_aggregate(model, test, aggregate_posterior(model, train, derive_seed("aggregate", seed)), seed)


def _interpolations(model: Model, test: Batches, codes: Tensor) -> Iterator[tuple[str, Tensor]]:
    """Images on the way between two test images, (pairs, steps, channel, height, width), under the first one's labels."""
    first, second = pairs(test.labels, alike=test.facts.classes)
    if codes.dim() > 2 or not len(first):
        return
    ways = {"interpolations": False} | ({"interpolations_through_flow": True} if _has_flow(model) else {})
    for name, through_flow in ways.items():
        way = interpolate(model, codes[first], codes[second], WAY_STEPS, through_flow)
        under = test.labels[first].repeat_interleave(WAY_STEPS, 0)
        decoded = torch.cat(list(decode(model, way.flatten(0, 1), under, test.facts, test.batch_size)))
        yield name, decoded.unflatten(0, way.shape[:2])


def _has_flow(model: Model) -> bool:
    return model.latent_density.flow is not None


def pairs(labels: Tensor, alike: bool) -> tuple[Tensor, Tensor]:
    """Rows of the first images to go between, and of those to go to; none is in two pairs, and fewer than four may be found.

    Args:
        labels: of the images, (n, columns).
        alike: whether both are to have the same labels, and no two pairs the same, as far as there are others.
    """
    if not alike:
        rows = torch.arange(min(2 * PAIRS, len(labels) // 2 * 2), device=labels.device)
        return rows[::2], rows[1::2]
    of_label = [(labels == value).all(1).nonzero().flatten() for value in labels.unique(dim=0)]
    found = [rows[2 * turn : 2 * turn + 2] for turn in range(PAIRS) for rows in of_label if len(rows) >= 2 * turn + 2]
    if not found:
        return labels.new_zeros(0), labels.new_zeros(0)
    first, second = torch.stack(found[:PAIRS]).unbind(1)
    return first, second


def _of_aggregate(
    model: Model, test: Batches, aggregate: Aggregate, seed: int
) -> Iterator[tuple[str, Tensor | Decoded]]:
    """Low-posterior samples, and draws of the aggregate posterior with their density under p(z)."""
    picked = low_posterior(model, aggregate, test.labels, derive_seed("low posterior", seed), test.batch_size)
    if picked:
        low, asked = picked
        yield "low_posterior_codes", low
        yield "low_posterior_labels", asked
        yield "low_posterior", Decoded(len(low), decode(model, low, asked, test.facts, test.batch_size))
    z = aggregate.sample(MOST_CODES, torch.Generator().manual_seed(derive_seed("posterior", seed))).z
    yield "posterior", z
    if not model.latent_density.conditional:
        with torch.inference_mode():
            log_p = model.latent_density.log_prob(z.to(test.labels.device), None)
        yield "posterior_log_p", log_p


def _measured(reconstructions: Iterator[Tensor], images: Batches, errors: list[Tensor]) -> Iterator[Tensor]:
    """Hand reconstructions on, and note the mean squared error of each, (b,) float32 a batch: of levels, or of points."""
    start = 0
    for batch in reconstructions:
        real = images.take(torch.arange(start, start + len(batch)))
        errors.append((real.float() - batch.float()).square().flatten(1).mean(1))
        start += len(batch)
        yield batch


def switches(labels: Tensor, facts: Facts) -> Tensor:
    """Labels that differ in one switch each: a class in each of its values; attributes as they are, and then one switched.

    Args:
        labels: of test images, (n, columns).
        facts: of the images.

    Returns:
        (draws, switches, columns): at most ten values, or the attributes that images divide most evenly, of the first images.
    """
    asked, count = labels[:SWITCHED_DRAWS], len(labels)
    if facts.classes:
        values = torch.arange(min(facts.label_cardinalities[0], MOST_SWITCHES), device=labels.device)
        return values.view(1, -1, 1).repeat(len(asked), 1, 1)
    sizes = facts.label_cardinalities
    unevenness = {
        column: int(values.bincount().max()) / count * sizes[column]  # 1 where every value stands as often
        for column, values in enumerate(labels.T)
        if sizes[column] > 1
    }
    columns = sorted(sorted(unevenness, key=unevenness.__getitem__)[: MOST_SWITCHES - 1])
    found = asked.unsqueeze(1).repeat(1, 1 + len(columns), 1)
    for place, column in enumerate(columns, start=1):
        found[:, place, column] = (found[:, place, column] + 1) % sizes[column]
    return found


def switched(model: Model, asked: Tensor, facts: Facts, seed: int) -> Tensor:
    """Decode draws of p(z|y) under each switch of their labels, (draws, switches, columns), from the same noise: the rest is held.

    Returns:
        uint8, (draws, switches, channel, height, width).
    """
    return torch.stack([torch.cat(list(sample(model, labels, facts, seed))) for labels in asked.unbind(1)], 1)


def traversals(codes: Tensor) -> Tensor:
    """Vary one dimension of the first image's code at a time, over what the codes of all images hold.

    Args:
        codes: (n, latent).

    Returns:
        Latents, (dimensions, steps, latent): the ten dimensions that vary most among images, the most varied first.
    """
    spread = codes.std(0)
    dimensions = spread.argsort(descending=True)[:MOST_TRAVERSED]
    path = torch.linspace(-TRAVERSAL_REACH, TRAVERSAL_REACH, TRAVERSAL_STEPS, device=codes.device)
    varied = codes[0].repeat(len(dimensions), TRAVERSAL_STEPS, 1)
    for row, dimension in enumerate(dimensions):
        varied[row, :, dimension] = codes[:, dimension].mean() + spread[dimension] * path
    return varied
