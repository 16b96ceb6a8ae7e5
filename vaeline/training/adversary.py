"""The adversary of a regularizer in training, with an optimizer of its own."""

from dataclasses import dataclass

import torch
from lightning_fabric import Fabric

from vaeline.models.contracts import Regularizer, State


@dataclass
class TrainedAdversary:
    """A network that the regularizer plays against, and its optimizer."""

    network: torch.nn.Module
    optimizer: torch.optim.Adam

    def state(self) -> State:
        return {"network": self.network.state_dict(), "optimizer": self.optimizer.state_dict()}

    def load(self, state: State) -> None:
        self.network.load_state_dict(state["network"])
        self.optimizer.load_state_dict(state["optimizer"])


def adversary_of(regularizer: Regularizer, fabric: Fabric) -> TrainedAdversary | None:
    """Bring the adversary to Fabric's device, and give it its optimizer; None for a regularizer without an adversary."""
    if regularizer.adversary is None:
        return None
    network, learning_rate, betas = regularizer.adversary
    network = network.to(fabric.device)
    return TrainedAdversary(network, torch.optim.Adam(network.parameters(), lr=learning_rate, betas=betas, fused=True))
