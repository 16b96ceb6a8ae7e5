"""The state of torch's global random generators, to be saved and restored."""

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


def restore(states: dict[str, Tensor], device: torch.device) -> None:
    """Put the generators back into captured states."""
    torch.set_rng_state(states["cpu"])
    if device.type == "cuda":
        torch.cuda.set_rng_state(states["cuda"], device)
    if device.type == "mps":
        torch.mps.set_rng_state(states["mps"])
