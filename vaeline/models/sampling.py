"""Images of a trained model, in the form of the store: uint8 levels, or points."""

from collections.abc import Iterator

import torch
from torch import Tensor

from vaeline.data.batches import Batches
from vaeline.data.dequantization import to_pixels
from vaeline.data.facts import Facts
from vaeline.models.finite import count_nonfinite
from vaeline.models.model import Model
from vaeline.system.errors import UserError
from vaeline.system.seeds import derive_seed


@torch.inference_mode()
def reconstruct(model: Model, images: Batches, seed: int) -> Iterator[Tensor]:
    """Decode each image's z without the posterior's noise: batches of levels, uint8 (b, channel, height, width)."""
    torch.manual_seed(seed)
    for x, labels in images.ordered(seed):
        yield _levels(model.reconstruct(x, labels), images.facts)


@torch.inference_mode()
def sample(
    model: Model, labels: Tensor, facts: Facts, seed: int, batch_size: int = 256, noise: bool = False
) -> Iterator[Tensor]:
    """Decode one draw of p(z) for each row of labels, (n, columns): batches of levels, uint8.

    Args:
        model: on the device of the labels.
        labels: that samples are asked to show.
        facts: of the images.
        seed: of the draws; with and without noise they have the same z.
        batch_size: samples at a time.
        noise: draw p(x|z) too; otherwise its mean is shown.
    """
    torch.manual_seed(seed)
    z = torch.cat([draw(model, requested) for requested in labels.split(batch_size)])
    yield from decode(model, z, labels, facts, batch_size, seed if noise or not model.likelihood.has_mean else None)


@torch.inference_mode()
def draw(model: Model, labels: Tensor) -> Tensor:
    """Draw p(z) once for each row of labels, (n, columns): latents, (n, latent), or indices, (n, rows, columns).

    Raises:
        UserError: a draw is not finite.
    """
    return require_finite(model.draw(labels), model, "draws")


def require_finite(z: Tensor, model: Model, what: str) -> Tensor:
    """Return z, (n, ...), if it is finite; `what` names its rows in the error.

    Raises:
        UserError: a row is not finite.
    """
    if lost := count_nonfinite(z):
        part = model.variant.density or model.variant.prior
        raise UserError(
            f"{lost:,} of {len(z):,} {what} of {part.name} are not finite: the inverse of its flow has diverged; train it again with a "
            "lower training.learning_rate."
        )
    return z


def _levels(mean: Tensor, facts: Facts) -> Tensor:
    """Decoded images in the form of the store, on the CPU; a NaN would become black there.

    Raises:
        UserError: an image is not finite.
    """
    if lost := count_nonfinite(mean):
        raise UserError(
            f"{lost:,} of {len(mean):,} decoded images are not finite: the decoder overflows at these latents; train the run again "
            "with a lower training.learning_rate."
        )
    return to_pixels(mean, facts).cpu()


@torch.inference_mode()
def decode(
    model: Model, z: Tensor, labels: Tensor, facts: Facts, batch_size: int = 256, noise_seed: int | None = None
) -> Iterator[Tensor]:
    """Decode latents, (n, latent), under labels, (n, columns): batches of levels, uint8; means, or with a seed draws of p(x|z).

    A likelihood without a mean is drawn from in any case, with seed 0 if no seed is given.
    """
    if noise_seed is not None or not model.likelihood.has_mean:
        torch.manual_seed(derive_seed("noise", noise_seed or 0))
    decoded = model.decode if noise_seed is None else model.decode_with_noise
    for some, of_some in zip(z.split(batch_size), labels.split(batch_size), strict=True):
        yield _levels(decoded(some, model.condition(of_some)), facts)


@torch.inference_mode()
def posterior_centres(model: Model, images: Batches, seed: int) -> Tensor:
    """z of each image without the posterior's noise, which its reconstruction is decoded from: the shape of z."""
    found = (model.features(x, model.condition(labels)) for x, labels in images.ordered(seed))
    return torch.cat([model.posterior.centre(features) for features in found])
