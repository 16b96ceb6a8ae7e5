"""A check of the shapes that the parts of a model return: one of another shape may be broadcast, and train in silence."""

from collections.abc import Callable

import torch
from torch import Tensor

from vaeline.data.facts import Facts
from vaeline.models.contracts import output_shape
from vaeline.models.model import Model
from vaeline.system.errors import UserError, reason, shown

COUNT = 2  # images of the check
CONTRACT = "as its contract says"


@torch.no_grad()
def check_shapes(model: Model, facts: Facts) -> None:
    """Send two images through a model that is not trained, and check the shape of all that its parts return.

    Raises:
        UserError: names the part, the method and both shapes, and what would work.
    """
    model.eval()
    variant = model.variant
    x = torch.full((COUNT, *facts.image_shape), float(facts.range[0]))
    labels = torch.zeros((COUNT, len(facts.label_names)), dtype=torch.int64)
    condition = model.condition(labels)
    if model.embedding is not None and condition is not None and variant.condition is not None:
        _check(condition, (COUNT, model.embedding.size), f"label encoder {variant.condition.labels.name}")
    posterior, likelihood = variant.posterior.name, variant.likelihood.name
    features = _returned(lambda: model.features(x, condition), f"the encoder of network {variant.network.name}", x)
    _check_features(features, model)
    latent = model.posterior(features)
    if latent.log_q is not None:
        _check(latent.log_q, (COUNT,), f"log_q of posterior {posterior}")
    _check_densities(model, latent.density_input, condition)
    taken = model.posterior.decoder_input(latent.density_input)
    _check(taken, tuple(latent.z.shape), f"decoder_input of posterior {posterior}")
    decoder = f"the decoder of network {variant.network.name}"
    h = _returned(lambda: model.decoder_output(latent.z, condition), decoder, latent.z)
    end = "x".join(map(str, facts.image_shape[1:]))
    shape = output_shape(facts.image_shape, model.likelihood.output_channels)
    wanted = f"end it in a layer that gives {shape[0]} channels of {end} pixels" if end else CONTRACT
    _check(h, (COUNT, *shape), decoder, wanted)
    _check(model.likelihood.mean(h), tuple(x.shape), f"mean of likelihood {likelihood}")
    _check(model.likelihood.log_prob(x, h), (COUNT,), f"log_prob of likelihood {likelihood}")
    _check_terms(model, x, labels)


def _check_densities(model: Model, z: Tensor, condition: Tensor | None) -> None:
    """Check the prior, and the density that is fitted after training, on z or indices."""
    densities = {f"prior {model.variant.prior.name}": model.prior}
    if model.density is not None and model.variant.density is not None:
        densities[f"density {model.variant.density.name}"] = model.density
    for named, each in densities.items():
        _check(each.log_prob(z, condition), (COUNT,), f"log_prob of {named}")
        _check(each.sample(COUNT, condition), tuple(z.shape), f"sample of {named}")


def _check_terms(model: Model, x: Tensor, labels: Tensor) -> None:
    """Check what a training step would minimise, which a bound has of its own or from the regularizer."""
    variant = model.variant
    of = f"bound {variant.bound.name}" if model.bound.includes_rate else f"regularizer {variant.regularizer.name}"
    for name, term in model.bound(model, x, labels, None).terms.items():
        _check(term, (COUNT,), f"term {name} of {of}")


def _check_features(features: Tensor, model: Model) -> None:
    """Check what the encoder returned against what the posterior needs."""
    name = model.variant.network.name
    needed = model.posterior.features
    shape: tuple[int, ...] = (COUNT, needed)
    wanted = f"the numbers that posterior {model.variant.posterior.name} needs of each image; end it in a layer of {needed} numbers"
    if model.posterior.takes_map:
        shape = (COUNT, needed, *(model.network.map_size or ()))
        wanted = f"the map that posterior {model.variant.posterior.name} needs; end it in a layer of {needed} channels"
    _check(features, shape, f"the encoder of network {name}", wanted)


def _returned(call: Callable[[], object], shown_part: str, given: Tensor) -> Tensor:
    """What a module of a network returns.

    Raises:
        UserError: it fails, or returns something other than a tensor.
    """
    try:
        found = call()
    except (RuntimeError, TypeError, ValueError, IndexError, AttributeError) as error:
        raise UserError(
            f"{shown_part} fails on {tuple(given.shape)} ({reason(error)}); it is called with that tensor and a condition, which is None without "
            "labels, and must take both."
        ) from error
    if not isinstance(found, Tensor):
        raise UserError(f"{shown_part} returned {shown(type(found).__name__)}; it must return a tensor.")
    return found


def _check(returned: Tensor, expected: tuple[int, ...], shown: str, instead: str = CONTRACT) -> None:
    if tuple(returned.shape) != expected:
        raise UserError(
            f"{shown} returned shape {tuple(returned.shape)} for {COUNT} images; it must return {expected}, {instead}."
        )
