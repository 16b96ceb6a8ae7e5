"""What regularizers with an adversary share."""

import torch
from torch import Tensor, nn


def judged(network: nn.Module, x: Tensor) -> Tensor:
    """What an adversary says of x, float32, with a gradient in x and none in the adversary's weights."""
    weights = {name: weight.detach() for name, weight in network.named_parameters()}
    return torch.func.functional_call(network, weights, (x,)).float()
