"""Interpolation between two latents, straight or through the flow of a prior."""

import torch
from torch import Tensor

from vaeline.models.model import Model
from vaeline.models.sampling import require_finite


@torch.inference_mode()
def interpolate(model: Model, first: Tensor, second: Tensor, steps: int, through_flow: bool) -> Tensor:
    """Interpolate between two latents in equal steps: straight in z, or straight in u = g(z), g the flow of the prior.

    The second as in "dpVAEs: Fixing Sample Generation for Regularized VAEs", section 5.3.

    Args:
        model: its prior has a flow if `through_flow` is true.
        first: (n, latent).
        second: (n, latent).
        steps: number of latents, both ends included.
        through_flow: interpolate in the space in which samples start.

    Returns:
        (n, steps, latent).

    Raises:
        UserError: a latent is not finite.
    """
    share = torch.linspace(0, 1, steps, device=first.device).view(-1, 1)
    flow = model.latent_density.flow if through_flow else None
    ends = [first, second] if flow is None else [flow(each)[0] for each in (first, second)]
    path = torch.lerp(ends[0].unsqueeze(1), ends[1].unsqueeze(1), share)
    if flow is not None:
        path = flow.inverse(path.flatten(0, 1)).unflatten(0, (len(first), steps))
    return require_finite(path, model, "latents")
