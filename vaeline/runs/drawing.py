"""What a run draws into samples.h5: reconstructions, samples, switched labels, codes, traversals, interpolations."""

from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor

from vaeline.data.batches import Batches
from vaeline.data.facts import Facts
from vaeline.models.aggregate_posterior import Aggregate, aggregate_posterior, why_no_aggregate
from vaeline.models.interpolation import interpolate
from vaeline.models.low_posterior import high_posterior, low_posterior
from vaeline.models.model import Model
from vaeline.models.sampling import decode, draw, posterior_centres, reconstruct, sample
from vaeline.runs import redrawing, samples_file
from vaeline.system.seeds import derive_seed

MOST_CODES = 2000  # of each kind, for maps of the latent space
TRAVERSAL_STEPS = 9
TRAVERSAL_REACH = 2.5  # standard deviations of the codes, to either side
MOST_TRAVERSED = 10  # latent dimensions
MOST_SWITCHES = 10  # values of a class, or attributes, that draws are switched between
SWITCHED_DRAWS = 4
PAIRS, INTERPOLATION_STEPS = 4, 9  # of interpolations between test images


class Decoded(NamedTuple):
    """Images that are decoded batch by batch, while they are iterated over."""

    rows: int
    batches: Iterator[Tensor]  # uint8 levels, (b, channel, height, width), or points


def everything(
    model: Model, train: Batches, test: Batches, seed: int, run_seed: int, noise: bool = False
) -> Iterator[tuple[str, Tensor | Decoded]]:
    """Draw the datasets of samples.h5, by their names; those that the model cannot draw are left out.

    Each dataset seeds torch's global generator, so that the caller takes a dataset whole before asking for the next one.

    Args:
        model: in evaluation mode, on the device of the batches.
        train: training split; its posteriors make up the aggregate posterior.
        test: images to reconstruct; samples are asked to show their labels.
        seed: of the draws that are the same for every run.
        run_seed: of the run, for the draws that are its own.
        noise: whether samples are draws of p(x|z), or else its means; reconstructions, and what follows a path, are means.
    """
    errors: list[Tensor] = []
    reconstructions = reconstruct(model, test, derive_seed("reconstruction", seed))
    yield samples_file.RECONSTRUCTIONS, Decoded(len(test.labels), _measured(reconstructions, test, errors))
    yield samples_file.RECONSTRUCTION_ERRORS, torch.cat(errors)
    samples = sample(model, test.labels, test.facts, derive_seed("sample", seed, run_seed), test.batch_size, noise)
    yield samples_file.SAMPLES, Decoded(len(test.labels), samples)
    if model.conditional and not test.facts.points:
        asked = switches(test.labels, test.facts)
        yield samples_file.SWITCHED_LABELS, asked
        yield samples_file.SWITCHED, switched(model, asked, test.facts, derive_seed("switches", seed, run_seed), noise)
    if model.posterior.kind != "discrete":
        yield from _latents(model, train, test, redrawing.seed_of_latents(seed, run_seed), noise)


def _latents(
    model: Model, train: Batches, test: Batches, seed: int, noise: bool
) -> Iterator[tuple[str, Tensor | Decoded]]:
    """What maps of the latent space show: codes of test images, draws of p(z), traversals, interpolations."""
    of_images = posterior_centres(model, test, seed)
    yield samples_file.CODES, of_images[:MOST_CODES]
    torch.manual_seed(derive_seed("prior", seed))
    yield samples_file.PRIOR, draw(model, test.labels[:MOST_CODES])
    if not test.facts.points:
        path = traversals(of_images)
        under = test.labels[:1].expand(path.shape[0] * path.shape[1], -1)
        decoded = torch.cat(list(decode(model, path.flatten(0, 1), under, test.facts, test.batch_size)))
        yield samples_file.TRAVERSALS, decoded.unflatten(0, path.shape[:2])
        yield from _interpolations(model, test, of_images)
    if not why_no_aggregate(model):
        aggregate = aggregate_posterior(model, train, derive_seed("aggregate", seed))
        yield from _low_posterior(model, test, aggregate, seed, noise)
        yield from _draws_of_aggregate(model, train, aggregate, seed, noise)


def _interpolations(model: Model, test: Batches, codes: Tensor) -> Iterator[tuple[str, Tensor]]:
    """Images between two test images, (pairs, steps, channel, height, width), under the labels of the first one."""
    first, second = pairs(test.labels, alike=test.facts.classes)
    if codes.dim() > 2 or not len(first):
        return
    ways = {samples_file.INTERPOLATIONS: False}
    if _has_flow(model):
        ways |= {samples_file.INTERPOLATIONS_THROUGH_FLOW: True}
    for name, through_flow in ways.items():
        way = interpolate(model, codes[first], codes[second], INTERPOLATION_STEPS, through_flow)
        under = test.labels[first].repeat_interleave(INTERPOLATION_STEPS, 0)
        decoded = torch.cat(list(decode(model, way.flatten(0, 1), under, test.facts, test.batch_size)))
        yield name, decoded.unflatten(0, way.shape[:2])


def _has_flow(model: Model) -> bool:
    return model.latent_density.flow is not None


def pairs(labels: Tensor, alike: bool) -> tuple[Tensor, Tensor]:
    """Choose at most four pairs of images to interpolate between; no image is in two pairs.

    Args:
        labels: of the images, (n, columns).
        alike: whether both images of a pair must have the same labels. Pairs then have different labels as far as possible.

    Returns:
        The rows of the first and of the second images, (pairs,) each.
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


def _low_posterior(
    model: Model, test: Batches, aggregate: Aggregate, seed: int, noise: bool
) -> Iterator[tuple[str, Tensor | Decoded]]:
    """Low-posterior samples, under the labels of the test images."""
    picked = low_posterior(model, aggregate, test.labels, derive_seed("low posterior", seed), test.batch_size)
    if picked:
        low, asked = picked
        yield samples_file.LOW_POSTERIOR_CODES, low
        yield samples_file.LOW_POSTERIOR_LABELS, asked
        # The first of a whole batch, in which they are decoded again later: in a smaller one they would have other noise.
        first = next(redrawing.decoded(model, low, asked, test.facts, seed, noise))
        yield samples_file.LOW_POSTERIOR, first[: samples_file.FAILURES]


def _draws_of_aggregate(
    model: Model, train: Batches, aggregate: Aggregate, seed: int, noise: bool
) -> Iterator[tuple[str, Tensor | Decoded]]:
    """Draws of the aggregate posterior with their density under p(z), and high-posterior samples."""
    drawn = aggregate.sample(MOST_CODES, torch.Generator().manual_seed(derive_seed("posterior", seed)))
    z, labels = drawn.z.to(train.labels.device), train.labels[drawn.rows.to(train.labels.device)]
    yield samples_file.POSTERIOR, z
    if not model.latent_density.conditional:
        with torch.inference_mode():
            yield samples_file.POSTERIOR_LOG_P, model.latent_density.log_prob(z, None)
    rows = high_posterior(model, z, labels)
    if rows is not None:
        rows = rows[: samples_file.FAILURES]
        noise_seed = derive_seed("high posterior", seed) if noise else None
        high = decode(model, z[rows], labels[rows], train.facts, train.batch_size, noise_seed)
        yield samples_file.HIGH_POSTERIOR, Decoded(len(rows), high)


def _measured(reconstructions: Iterator[Tensor], images: Batches, errors: list[Tensor]) -> Iterator[Tensor]:
    """Yield reconstructions, and append the mean squared error of each image of a batch, (b,) float32, to `errors`."""
    start = 0
    for batch in reconstructions:
        real = images.take(torch.arange(start, start + len(batch)))
        errors.append((real.float() - batch.float()).square().flatten(1).mean(1))
        start += len(batch)
        yield batch


def switches(labels: Tensor, facts: Facts) -> Tensor:
    """Labels that differ in one switch: every value of a class; or the attributes as they are, then with one switched.

    Args:
        labels: of test images, (n, columns).
        facts: of the images.

    Returns:
        Labels for the first images, (draws, switches, columns). They take at most ten values, or switch the attributes
        that divide the images most evenly.
    """
    asked, count = labels[:SWITCHED_DRAWS], len(labels)
    if facts.classes:
        values = torch.arange(min(facts.label_cardinalities[0], MOST_SWITCHES), device=labels.device)
        return values.view(1, -1, 1).repeat(len(asked), 1, 1)
    sizes = facts.label_cardinalities
    unevenness = {
        column: int(values.bincount().max()) / count * sizes[column]  # 1 if every value is equally frequent
        for column, values in enumerate(labels.T)
        if sizes[column] > 1
    }
    columns = sorted(sorted(unevenness, key=unevenness.__getitem__)[: MOST_SWITCHES - 1])
    found = asked.unsqueeze(1).repeat(1, 1 + len(columns), 1)
    for place, column in enumerate(columns, start=1):
        found[:, place, column] = (found[:, place, column] + 1) % sizes[column]
    return found


def switched(model: Model, asked: Tensor, facts: Facts, seed: int, noise: bool = False) -> Tensor:
    """Decode draws of p(z|y) under each switch of their labels, (draws, switches, columns), always from the same noise.

    Returns:
        uint8, (draws, switches, channel, height, width).
    """
    return torch.stack(
        [torch.cat(list(sample(model, labels, facts, seed, noise=noise))) for labels in asked.unbind(1)], 1
    )


def traversals(codes: Tensor) -> Tensor:
    """Vary one dimension of the first image's code at a time, over the range that the codes of all images have.

    Args:
        codes: (n, latent).

    Returns:
        Latents, (dimensions, steps, latent), of the ten dimensions that vary most among images, in descending order.
    """
    spread = codes.std(0)
    dimensions = spread.argsort(descending=True)[:MOST_TRAVERSED]
    path = torch.linspace(-TRAVERSAL_REACH, TRAVERSAL_REACH, TRAVERSAL_STEPS, device=codes.device)
    varied = codes[0].repeat(len(dimensions), TRAVERSAL_STEPS, 1)
    for row, dimension in enumerate(dimensions):
        varied[row, :, dimension] = codes[:, dimension].mean() + spread[dimension] * path
    return varied
