"""The optimizer of a training."""

from typing import Any

from torch import nn, optim

from vaeline.study.schema import Training


def optimizer_of(parameters: list[nn.Parameter], settings: Training) -> optim.Optimizer:
    """Adam or Adamax (Kingma and Ba, 2015), or AdamW (Loshchilov and Hutter, 2019), as the settings say."""
    shared: dict[str, Any] = {
        "lr": settings.learning_rate, "betas": settings.betas, "eps": settings.eps, "weight_decay": settings.weight_decay,
    }  # fmt: skip
    if settings.optimizer == "adamax":
        return optim.Adamax(parameters, **shared)
    kind = {"adam": optim.Adam, "adamw": optim.AdamW}[settings.optimizer]
    return kind(parameters, **shared, fused=True)
