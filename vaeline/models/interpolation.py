"""Interpolation between two latents, straight or through the flow of a prior."""

import torch
from torch import Tensor

from vaeline.models.model import Model
from vaeline.models.sampling import require_finite


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
    return require_finite(way, model, "latents")
