"""The state of torch's global random generators."""

import torch
from torch import Tensor


def capture(device: torch.device) -> dict[str, Tensor]:
    """The states of the generators that draws on `device` use."""
    states = {"cpu": torch.get_rng_state()}
    if device.type == "cuda":
        states["cuda"] = torch.cuda.get_rng_state(device)
    if device.type == "mps":
        states["mps"] = torch.mps.get_rng_state()
    return states
