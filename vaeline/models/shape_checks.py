"""A check of the shapes that the parts of a model return: one of another shape may be broadcast, and train in silence."""

import torch
from torch import Tensor

from vaeline.data.facts import Facts
from vaeline.models.contracts import output_shape
from vaeline.models.model import Model
from vaeline.system.errors import UserError

COUNT = 2  # images of the check


@torch.no_grad()
def check_shapes(model: Model, facts: Facts) -> None:
    """Send two images through a model that is not trained, and check the shape of all that its parts return.

    Raises:
        UserError: names the part, the method and both shapes.
    """
    model.eval()
    variant, x = model.variant, torch.full((COUNT, *facts.image_shape), float(facts.range[0]))
    labels = torch.zeros((COUNT, len(facts.label_names)), dtype=torch.int64)
    latent, condition = model.encode(x, labels), model.condition(labels)
    prior, posterior, likelihood = variant.prior.name, variant.posterior.name, variant.likelihood.name
    if latent.log_q is not None:
        _check(latent.log_q, (COUNT,), f"log_q of posterior {posterior}")
    _check(model.prior.log_prob(latent.density_input, condition), (COUNT,), f"log_prob of prior {prior}")
    _check(model.prior.sample(COUNT, condition), tuple(latent.density_input.shape), f"sample of prior {prior}")
    h = model.decoder_output(latent.z, labels)
    _check(
        h,
        (COUNT, *output_shape(facts.image_shape, model.likelihood.output_channels)),
        f"the decoder of network {variant.network.name}",
    )
    _check(model.likelihood.mean(h), tuple(x.shape), f"mean of likelihood {likelihood}")
    _check(model.likelihood.log_prob(x, h), (COUNT,), f"log_prob of likelihood {likelihood}")


def _check(returned: Tensor, expected: tuple[int, ...], shown: str) -> None:
    if tuple(returned.shape) != expected:
        raise UserError(
            f"{shown} returned shape {tuple(returned.shape)} for {COUNT} images; it must return {expected}, as its contract says."
        )
