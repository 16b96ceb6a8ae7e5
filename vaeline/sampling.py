"""What is drawn from a trained model, as the store holds it: uint8 levels, or points."""

from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor

from vaeline.aggregate import Aggregate, aggregate_posterior, why_no_aggregate
from vaeline.batches import Batches, to_pixels
from vaeline.errors import UserError
from vaeline.finite import count_lost
from vaeline.metrics.low_posterior import draws, lowest
from vaeline.model import Model
from vaeline.seeds import derive_seed
from vaeline.store import Facts

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
    if model.posterior.kind != "codes":
        yield from _latents(model, test, train, derive_seed("latents", seed, run_seed))


def _latents(model: Model, test: Batches, train: Batches, seed: int) -> Iterator[tuple[str, Tensor | Decoded]]:
    """What maps of the latent space show: codes of test images, draws of p(z), traversals."""
    of_images = codes(model, test, seed)
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
    return getattr(model.latent_density, "flow", None) is not None


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


@torch.inference_mode()
def reconstruct(model: Model, images: Batches, seed: int) -> Iterator[Tensor]:
    """Decode each image's z without the posterior's noise: batches of levels, uint8 (b, channel, height, width)."""
    for x, labels in images.ordered(seed):
        yield _levels(model.reconstruct(x, labels), images.facts)


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


@torch.inference_mode()
def interpolate(model: Model, first: Tensor, second: Tensor, steps: int, through_flow: bool) -> Tensor:
    """Latents between two, in equal steps: straight in the space of z, or in the space that its prior's flow comes from.

    The latter as in "dpVAEs: Fixing Sample Generation for Regularized VAEs", section 5.3: g(z) goes straight, and z = g^-1 of that.

    Args:
        model: of a prior with a flow, for the way through it.
        first: (n, latent).
        second: likewise.
        steps: both ends among them.
        through_flow: through the space that the flow comes from.

    Returns:
        (n, steps, latent).

    Raises:
        UserError: a latent on the way is not finite.
    """
    share = torch.linspace(0, 1, steps, device=first.device).view(-1, 1)
    ends = [model.latent_density.flow(each)[0] for each in (first, second)] if through_flow else [first, second]
    way = torch.lerp(ends[0].unsqueeze(1), ends[1].unsqueeze(1), share)
    if through_flow:
        way = model.latent_density.flow.inverse(way.flatten(0, 1)).unflatten(0, (len(first), steps))
    return _finite(way, model, "latents")


@torch.inference_mode()
def sample(model: Model, labels: Tensor, facts: Facts, seed: int, batch_size: int = 256) -> Iterator[Tensor]:
    """Decode one draw of p(z) for each row of labels, (n, columns): batches of levels, uint8."""
    torch.manual_seed(seed)
    for requested in labels.split(batch_size):
        z = draw(model, requested)
        yield _levels(model.decode(z, requested), facts)


@torch.inference_mode()
def draw(model: Model, labels: Tensor) -> Tensor:
    """Draw p(z) once for each row of labels, (n, columns): latents, (n, latent), or codes.

    Raises:
        UserError: a draw is not finite.
    """
    return _finite(model.latent_density.sample(len(labels), model.condition(labels)), model, "draws")


def _finite(z: Tensor, model: Model, what: str) -> Tensor:
    if lost := count_lost(z):
        part = model.variant.density or model.variant.prior
        raise UserError(
            f"{lost:,} of {len(z):,} {what} of {part.name} are not finite: the inverse of its flow has diverged; train it again with a "
            "lower training.learning_rate."
        )
    return z


def _levels(mean: Tensor, facts: Facts) -> Tensor:
    """What is decoded, as the store holds it, on the CPU; a NaN would be black there.

    Raises:
        UserError: an image is not finite.
    """
    if lost := count_lost(mean):
        raise UserError(
            f"{lost:,} of {len(mean):,} decoded images are not finite: the decoder overflows at these codes; train the run again "
            "with a lower training.learning_rate."
        )
    return to_pixels(mean, facts).cpu()


@torch.inference_mode()
def decode(model: Model, z: Tensor, labels: Tensor, facts: Facts, batch_size: int = 256) -> Iterator[Tensor]:
    """Decode latents, (n, latent), under labels, (n, columns): batches of levels, uint8."""
    for some, of_some in zip(z.split(batch_size), labels.split(batch_size), strict=True):
        yield _levels(model.decode(some, of_some), facts)


@torch.inference_mode()
def low_posterior(
    model: Model, aggregate: Aggregate, labels: Tensor, seed: int, batch_size: int = 256
) -> tuple[Tensor, Tensor] | None:
    """Pick, of ten draws of p(z) for each row of labels, the tenth that the aggregate posterior covers least.

    Args:
        model: on the device of the labels.
        aggregate: of the training split.
        labels: that are asked for, (n, columns).
        seed: of the draws.
        batch_size: draws at a time.

    Returns:
        The latents picked, (n, latent), the least covered first, and their labels, (n, columns); None where a draw's density
        cannot be known, a flow's inverse being lost.
    """
    torch.manual_seed(seed)
    asked = labels.repeat(draws(len(labels)) // len(labels), 1)
    z = torch.cat([draw(model, of) for of in asked.split(batch_size)])
    log_q = aggregate.log_prob(z)
    if log_q.isnan().any():
        return None
    rows = lowest(log_q, len(labels)).to(z.device)
    return z[rows], asked[rows]


@torch.inference_mode()
def codes(model: Model, images: Batches, seed: int) -> Tensor:
    """What each image's reconstruction is decoded from, without the posterior's noise: (n, latent)."""
    return torch.cat([model.posterior.centre(model.features(x, labels)) for x, labels in images.ordered(seed)])


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
