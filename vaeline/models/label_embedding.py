"""Labels as vectors: learned embeddings, or one-hot."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from vaeline.data.facts import Facts
from vaeline.study.schema import Variant
from vaeline.system.errors import UserError


def embedding_of(variant: Variant, facts: Facts) -> "LabelEmbedding | OneHotLabels | None":
    """How a variant represents labels; None for a model without labels.

    Raises:
        UserError: the images have no labels.
    """
    if variant.condition is None:
        return None
    if not facts.label_names:
        raise UserError(
            f"condition makes labels a part of the model, but the images of {facts.dataset_id} have none; set condition to null."
        )
    if variant.condition.embedding is None:
        return OneHotLabels(facts.label_cardinalities)
    return LabelEmbedding(facts.label_cardinalities, variant.condition.embedding)


class LabelEmbedding(nn.Module):
    """A learned vector for each value of each label column."""

    offsets: Tensor

    def __init__(self, cardinalities: list[int], size: int) -> None:
        super().__init__()
        self.size = len(cardinalities) * size
        self.table = nn.Embedding(sum(cardinalities), size)
        offsets = torch.tensor([0, *cardinalities[:-1]]).cumsum(0)
        self.register_buffer("offsets", offsets, persistent=False)

    def forward(self, labels: Tensor) -> Tensor:
        return self.table(labels + self.offsets).flatten(1)  # (b, columns * size)


class OneHotLabels(nn.Module):
    """A 1 at the value of each label column, 0 elsewhere."""

    def __init__(self, cardinalities: list[int]) -> None:
        super().__init__()
        self.cardinalities = cardinalities
        self.size = sum(cardinalities)

    def forward(self, labels: Tensor) -> Tensor:
        columns = zip(labels.unbind(1), self.cardinalities, strict=True)
        return torch.cat([functional.one_hot(column, values) for column, values in columns], 1).float()
