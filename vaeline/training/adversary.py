"""The adversary of a regularizer, with an optimizer of its own."""

from dataclasses import dataclass
from typing import Any

import torch
from lightning_fabric import Fabric

from vaeline.models.model import Model


@dataclass
class Adversary:
    """What a regularizer plays against, with an optimizer of its own."""

    network: torch.nn.Module
    optimizer: torch.optim.Adam

    def state(self) -> dict[str, Any]:
        return {"network": self.network.state_dict(), "optimizer": self.optimizer.state_dict()}

    def load(self, state: dict[str, Any]) -> None:
        self.network.load_state_dict(state["network"])
        self.optimizer.load_state_dict(state["optimizer"])


def adversary_of(model: Model, fabric: Fabric) -> Adversary | None:
    regularizer = model.regularizer
    if not hasattr(regularizer, "adversary"):
        return None
    network = regularizer.adversary.to(fabric.device)
    adam = torch.optim.Adam(network.parameters(), lr=regularizer.learning_rate, betas=regularizer.betas, fused=True)
    return Adversary(network, adam)
